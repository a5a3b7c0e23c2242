//! norm and lognorm.

use statrs::distribution::{
    ContinuousCDF, LogNormal as LogNormalFunctions, Normal as NormalFunctions,
};

use super::law::{Law, LawSpec, ShapeRange, moments};
use crate::random::{Stream, Ziggurat, standard_normal};

pub(super) const NORM: LawSpec = LawSpec {
    name: "norm",
    shapes: &[],
    has_scale: true,
    about: "normal; loc is the mean, scale the standard deviation; all numbers",
    build: |_| Ok(Box::new(Norm(Ziggurat::normal()))),
};

#[derive(Debug)]
struct Norm(&'static Ziggurat);

impl Law for Norm {
    fn sample(&self, stream: &mut Stream) -> f64 {
        standard_normal(self.0, stream)
    }

    fn support(&self) -> (f64, f64) {
        (f64::NEG_INFINITY, f64::INFINITY)
    }

    fn moments(&self) -> (f64, f64) {
        (0.0, 1.0)
    }

    fn mass_below(&self, x: f64) -> f64 {
        NormalFunctions::standard().cdf(x)
    }
}

pub(super) const LOGNORM: LawSpec = LawSpec {
    name: "lognorm",
    shapes: &[("s", ShapeRange::Positive)],
    has_scale: true,
    about: "log-normal; s is the standard deviation of the logarithm; above 0",
    build: |shapes| {
        Ok(Box::new(LogNorm {
            tables: Ziggurat::normal(),
            s: shapes[0],
            functions: LogNormalFunctions::new(0.0, shapes[0]).map_err(|e| e.to_string())?,
        }))
    },
};

#[derive(Debug)]
struct LogNorm {
    tables: &'static Ziggurat,
    s: f64,
    functions: LogNormalFunctions,
}

impl Law for LogNorm {
    fn sample(&self, stream: &mut Stream) -> f64 {
        libm::exp(self.s * standard_normal(self.tables, stream))
    }

    fn support(&self) -> (f64, f64) {
        (0.0, f64::INFINITY)
    }

    fn moments(&self) -> (f64, f64) {
        moments(&self.functions)
    }

    fn mass_below(&self, x: f64) -> f64 {
        self.functions.cdf(x)
    }
}
