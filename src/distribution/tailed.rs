//! weibull_min and pareto: powers and exponentials of the exponential law.

use statrs::distribution::{ContinuousCDF, Pareto as ParetoFunctions, Weibull as WeibullFunctions};

use super::law::{Law, LawSpec, ShapeRange, moments};
use crate::random::{Stream, Ziggurat, standard_exponential};

pub(super) const WEIBULL_MIN: LawSpec = LawSpec {
    name: "weibull_min",
    shapes: &[("c", ShapeRange::Positive)],
    has_scale: true,
    about: "Weibull; c is the shape; 0 or above",
    build: |shapes| {
        Ok(Box::new(WeibullMin {
            tables: Ziggurat::exponential(),
            power: 1.0 / shapes[0],
            functions: WeibullFunctions::new(shapes[0], 1.0).map_err(|e| e.to_string())?,
        }))
    },
};

#[derive(Debug)]
struct WeibullMin {
    tables: &'static Ziggurat,
    power: f64,
    functions: WeibullFunctions,
}

impl Law for WeibullMin {
    fn sample(&self, stream: &mut Stream) -> f64 {
        libm::pow(standard_exponential(self.tables, stream), self.power)
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

pub(super) const PARETO: LawSpec = LawSpec {
    name: "pareto",
    shapes: &[("b", ShapeRange::Positive)],
    has_scale: true,
    about: "Pareto; b is the shape; loc + scale or above",
    build: |shapes| {
        Ok(Box::new(Pareto {
            tables: Ziggurat::exponential(),
            b: shapes[0],
            functions: ParetoFunctions::new(1.0, shapes[0]).map_err(|e| e.to_string())?,
        }))
    },
};

#[derive(Debug)]
struct Pareto {
    tables: &'static Ziggurat,
    b: f64,
    functions: ParetoFunctions,
}

impl Law for Pareto {
    fn sample(&self, stream: &mut Stream) -> f64 {
        libm::exp(standard_exponential(self.tables, stream) / self.b)
    }

    fn support(&self) -> (f64, f64) {
        (1.0, f64::INFINITY)
    }

    fn moments(&self) -> (f64, f64) {
        let (mean, std_dev) = moments(&self.functions);
        (
            if self.b > 1.0 { mean } else { f64::INFINITY },
            if self.b > 2.0 { std_dev } else { f64::INFINITY },
        )
    }

    fn mass_below(&self, x: f64) -> f64 {
        self.functions.cdf(x)
    }
}
