//! uniform and triang: laws with a lower and an upper end.

use statrs::distribution::{ContinuousCDF, Triangular as TriangularFunctions};

use super::law::{Law, LawSpec, ShapeRange, moments};
use crate::random::Stream;

pub(super) const UNIFORM: LawSpec = LawSpec {
    name: "uniform",
    shapes: &[],
    has_scale: true,
    about: "uniform; from loc to loc + scale",
    build: |_| Ok(Box::new(Uniform)),
};

#[derive(Debug)]
struct Uniform;

impl Law for Uniform {
    fn sample(&self, stream: &mut Stream) -> f64 {
        stream.unit()
    }

    fn support(&self) -> (f64, f64) {
        (0.0, 1.0)
    }

    fn moments(&self) -> (f64, f64) {
        (0.5, libm::sqrt(1.0 / 12.0))
    }

    fn mass_below(&self, x: f64) -> f64 {
        x.clamp(0.0, 1.0)
    }
}

pub(super) const TRIANG: LawSpec = LawSpec {
    name: "triang",
    shapes: &[("c", ShapeRange::Unit)],
    has_scale: true,
    about: "triangular; from loc to loc + scale with its peak at loc + c * scale",
    build: |shapes| {
        Ok(Box::new(Triang {
            c: shapes[0],
            functions: TriangularFunctions::new(0.0, 1.0, shapes[0]).map_err(|e| e.to_string())?,
        }))
    },
};

#[derive(Debug)]
struct Triang {
    c: f64,
    functions: TriangularFunctions,
}

impl Law for Triang {
    fn sample(&self, stream: &mut Stream) -> f64 {
        // The inverse of the cdf; a square root is exact to the last bit on every platform.
        let u = stream.unit();
        if u < self.c {
            libm::sqrt(u * self.c)
        } else {
            1.0 - libm::sqrt((1.0 - u) * (1.0 - self.c))
        }
    }

    fn support(&self) -> (f64, f64) {
        (0.0, 1.0)
    }

    fn moments(&self) -> (f64, f64) {
        moments(&self.functions)
    }

    fn mass_below(&self, x: f64) -> f64 {
        self.functions.cdf(x)
    }
}
