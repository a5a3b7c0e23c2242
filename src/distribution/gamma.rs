//! expon, gamma and invgamma.

use statrs::distribution::{
    ContinuousCDF, Exp as ExpFunctions, Gamma as GammaFunctions,
    InverseGamma as InverseGammaFunctions,
};

use super::law::{Law, LawSpec, ShapeRange, moments};
use crate::random::{Stream, Ziggurat, standard_exponential, standard_normal};

pub(super) const EXPON: LawSpec = LawSpec {
    name: "expon",
    shapes: &[],
    has_scale: true,
    about: "exponential; scale is the mean; 0 or above",
    build: |_| {
        Ok(Box::new(Expon {
            tables: Ziggurat::exponential(),
            functions: ExpFunctions::new(1.0).map_err(|e| e.to_string())?,
        }))
    },
};

#[derive(Debug)]
struct Expon {
    tables: &'static Ziggurat,
    functions: ExpFunctions,
}

impl Law for Expon {
    fn sample(&self, stream: &mut Stream) -> f64 {
        standard_exponential(self.tables, stream)
    }

    fn support(&self) -> (f64, f64) {
        (0.0, f64::INFINITY)
    }

    fn moments(&self) -> (f64, f64) {
        (1.0, 1.0)
    }

    fn mass_below(&self, x: f64) -> f64 {
        self.functions.cdf(x)
    }
}

/// Draws of the gamma law by Marsaglia and Tsang, "A simple method for generating gamma
/// variables", ACM Trans. Math. Softw. 26 (2000); shapes below 1 by their section 8.
#[derive(Debug)]
struct GammaDraws {
    normal: &'static Ziggurat,
    d: f64,
    c: f64,
    /// 1 / a for a shape a below 1, which is drawn as a + 1 and then scaled down.
    boost: Option<f64>,
}

impl GammaDraws {
    fn new(a: f64) -> Self {
        let boost = (a < 1.0).then(|| 1.0 / a);
        let d = if boost.is_some() { a + 1.0 } else { a } - 1.0 / 3.0;
        GammaDraws {
            normal: Ziggurat::normal(),
            d,
            c: 1.0 / libm::sqrt(9.0 * d),
            boost,
        }
    }

    fn sample(&self, stream: &mut Stream) -> f64 {
        let draw = loop {
            let x = standard_normal(self.normal, stream);
            let v = 1.0 + self.c * x;
            if v <= 0.0 {
                continue;
            }
            let v = v * v * v;
            let u = stream.open_unit();
            let x_squared = x * x;
            if u < 1.0 - 0.0331 * x_squared * x_squared
                || libm::log(u) < 0.5 * x_squared + self.d * (1.0 - v + libm::log(v))
            {
                break self.d * v;
            }
        };
        match self.boost {
            None => draw,
            Some(power) => draw * libm::pow(stream.open_unit(), power),
        }
    }
}

pub(super) const GAMMA: LawSpec = LawSpec {
    name: "gamma",
    shapes: &[("a", ShapeRange::Positive)],
    has_scale: true,
    about: "gamma; a is the shape; 0 or above",
    build: |shapes| {
        Ok(Box::new(Gamma {
            draws: GammaDraws::new(shapes[0]),
            functions: GammaFunctions::new(shapes[0], 1.0).map_err(|e| e.to_string())?,
        }))
    },
};

#[derive(Debug)]
struct Gamma {
    draws: GammaDraws,
    functions: GammaFunctions,
}

impl Law for Gamma {
    fn sample(&self, stream: &mut Stream) -> f64 {
        self.draws.sample(stream)
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

pub(super) const INVGAMMA: LawSpec = LawSpec {
    name: "invgamma",
    shapes: &[("a", ShapeRange::Positive)],
    has_scale: true,
    about: "inverse gamma; a is the shape; above 0",
    build: |shapes| {
        Ok(Box::new(InvGamma {
            draws: GammaDraws::new(shapes[0]),
            functions: InverseGammaFunctions::new(shapes[0], 1.0).map_err(|e| e.to_string())?,
            a: shapes[0],
        }))
    },
};

#[derive(Debug)]
struct InvGamma {
    draws: GammaDraws,
    functions: InverseGammaFunctions,
    a: f64,
}

impl Law for InvGamma {
    fn sample(&self, stream: &mut Stream) -> f64 {
        1.0 / self.draws.sample(stream)
    }

    fn support(&self) -> (f64, f64) {
        (0.0, f64::INFINITY)
    }

    fn moments(&self) -> (f64, f64) {
        let infinite_below = |power: f64, value: f64| {
            if self.a > power { value } else { f64::INFINITY }
        };
        let (mean, std_dev) = moments(&self.functions);
        (infinite_below(1.0, mean), infinite_below(2.0, std_dev))
    }

    fn mass_below(&self, x: f64) -> f64 {
        self.functions.cdf(x)
    }
}
