//! poisson, randint, and sample: laws of whole or listed numbers.

use rand_distr::Distribution as _;
use rand_distr::weighted::WeightedAliasIndex;
use statrs::distribution::{DiscreteCDF, Poisson as PoissonFunctions};

use super::law::{Law, LawSpec, ShapeRange};
use crate::random::Stream;

pub(super) const POISSON: LawSpec = LawSpec {
    name: "poisson",
    shapes: &[("mu", ShapeRange::NonNegative)],
    has_scale: false,
    about: "Poisson; mu is the mean; whole numbers from 0 on",
    build: |shapes| {
        let mu = shapes[0];
        if mu > POISSON_MU_MAX {
            return Err(format!("`mu` must be at most {POISSON_MU_MAX:e}"));
        }
        Ok(Box::new(Poisson {
            mu,
            exp_minus_mu: libm::exp(-mu),
            log_mu: libm::log(mu),
            functions: PoissonFunctions::new(mu).ok(),
        }))
    },
};

/// Beyond this a draw would not be a whole number any more.
const POISSON_MU_MAX: f64 = 1e15;
/// From this mean on rejection is quicker than multiplication, and valid.
const POISSON_MU_LARGE: f64 = 10.0;

#[derive(Debug)]
struct Poisson {
    mu: f64,
    exp_minus_mu: f64,
    log_mu: f64,
    /// None for a mean of 0.
    functions: Option<PoissonFunctions>,
}

impl Poisson {
    /// Multiplies uniforms until they fall below exp(-mu) (Knuth, TAOCP 2, 3.4.1).
    fn sample_small(&self, stream: &mut Stream) -> f64 {
        let mut count = 0.0;
        let mut product = stream.open_unit();
        while product > self.exp_minus_mu {
            count += 1.0;
            product *= stream.open_unit();
        }
        count
    }

    /// Transformed rejection, algorithm PTRS (Hörmann, "The transformed rejection method for
    /// generating Poisson random variables", Insurance: Math. and Economics 12, 1993).
    fn sample_large(&self, stream: &mut Stream) -> f64 {
        let b = 0.931 + 2.53 * libm::sqrt(self.mu);
        let a = -0.059 + 0.02483 * b;
        let inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
        let v_r = 0.9277 - 3.6224 / (b - 2.0);
        loop {
            let u = stream.open_unit() - 0.5;
            let v = stream.open_unit();
            let us = 0.5 - u.abs();
            let k = libm::floor((2.0 * a / us + b) * u + self.mu + 0.43);
            if us >= 0.07 && v <= v_r {
                return k;
            }
            if k < 0.0 || (us < 0.013 && v > us) {
                continue;
            }
            let accepted = libm::log(v * inverse_alpha / (a / (us * us) + b));
            if accepted <= k * self.log_mu - self.mu - libm::lgamma(k + 1.0) {
                return k;
            }
        }
    }
}

impl Law for Poisson {
    fn sample(&self, stream: &mut Stream) -> f64 {
        if self.mu < POISSON_MU_LARGE {
            self.sample_small(stream)
        } else {
            self.sample_large(stream)
        }
    }

    fn support(&self) -> (f64, f64) {
        let upper = if self.mu == 0.0 { 0.0 } else { f64::INFINITY };
        (0.0, upper)
    }

    fn moments(&self) -> (f64, f64) {
        (self.mu, libm::sqrt(self.mu))
    }

    fn mass_below(&self, x: f64) -> f64 {
        let last = libm::ceil(x) - 1.0;
        match &self.functions {
            _ if last < 0.0 => 0.0,
            None => 1.0,
            Some(functions) => functions.cdf(last as u64),
        }
    }
}

pub(super) const RANDINT: LawSpec = LawSpec {
    name: "randint",
    shapes: &[("low", ShapeRange::Whole), ("high", ShapeRange::Whole)],
    has_scale: false,
    about: "whole numbers from low to high - 1, each equally likely",
    build: |shapes| {
        if shapes[0] >= shapes[1] {
            return Err("`low` must be below `high`".into());
        }
        Ok(Box::new(RandInt {
            low: shapes[0],
            count: shapes[1] - shapes[0],
        }))
    },
};

#[derive(Debug)]
struct RandInt {
    low: f64,
    count: f64,
}

impl Law for RandInt {
    fn sample(&self, stream: &mut Stream) -> f64 {
        self.low + stream.below(self.count as u64) as f64
    }

    fn support(&self) -> (f64, f64) {
        (self.low, self.low + self.count - 1.0)
    }

    fn moments(&self) -> (f64, f64) {
        let mean = self.low + (self.count - 1.0) / 2.0;
        (mean, libm::sqrt((self.count * self.count - 1.0) / 12.0))
    }

    fn mass_below(&self, x: f64) -> f64 {
        ((libm::ceil(x) - self.low) / self.count).clamp(0.0, 1.0)
    }
}

/// Listed numbers with weights; drawn by the alias method, which needs no transcendental function.
#[derive(Debug)]
pub(super) struct Listed {
    values: Vec<f64>,
    weights: Vec<f64>,
    total: f64,
    alias: WeightedAliasIndex<f64>,
}

impl Listed {
    /// Numbers and their weights: as many, finite, none negative, not all zero.
    pub(super) fn new(values: Vec<f64>, weights: Vec<f64>) -> Result<Self, String> {
        Ok(Listed {
            alias: alias_index(&weights)?,
            total: weights.iter().sum(),
            values,
            weights,
        })
    }

    fn weighted(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.values
            .iter()
            .zip(&self.weights)
            .filter(|&(_, &weight)| weight > 0.0)
            .map(|(&value, &weight)| (value, weight / self.total))
    }
}

/// An alias table over these weights.
pub(super) fn alias_index(weights: &[f64]) -> Result<WeightedAliasIndex<f64>, String> {
    WeightedAliasIndex::new(weights.to_vec())
        .map_err(|_| "weights must be 0 or above, finite, and not all 0".into())
}

impl Law for Listed {
    fn sample(&self, stream: &mut Stream) -> f64 {
        self.values[self.alias.sample(stream)]
    }

    fn support(&self) -> (f64, f64) {
        self.weighted().fold(
            (f64::INFINITY, f64::NEG_INFINITY),
            |(low, high), (value, _)| (low.min(value), high.max(value)),
        )
    }

    fn moments(&self) -> (f64, f64) {
        let mean: f64 = self.weighted().map(|(value, weight)| value * weight).sum();
        let variance: f64 = self
            .weighted()
            .map(|(value, weight)| weight * (value - mean) * (value - mean))
            .sum();
        (mean, libm::sqrt(variance))
    }

    fn mass_below(&self, x: f64) -> f64 {
        self.weighted()
            .filter(|&(value, _)| value < x)
            .map(|(_, weight)| weight)
            .sum()
    }
}
