//! Draws that laws are made of: gamma, beta, inverse Gaussian, Poisson, binomial; each by an exact
//! method on `libm` alone.

use libm::{cosh, exp, expm1, lgamma, log, log1p, pow, sinh};

use crate::random::{Stream, Ziggurat, standard_exponential, standard_normal};

/// A standard normal draw.
pub(super) fn normal() -> impl Fn(&mut Stream) -> f64 + Copy + Send + Sync + 'static {
    let tables = Ziggurat::normal();
    move |stream: &mut Stream| standard_normal(tables, stream)
}

/// A standard exponential draw.
pub(super) fn exponential() -> impl Fn(&mut Stream) -> f64 + Copy + Send + Sync + 'static {
    let tables = Ziggurat::exponential();
    move |stream: &mut Stream| standard_exponential(tables, stream)
}

/// -1 or 1.
pub(super) fn sign(stream: &mut Stream) -> f64 {
    if stream.next_u64() >> 63 == 0 {
        1.0
    } else {
        -1.0
    }
}

/// Draws of the gamma law by Marsaglia and Tsang, "A simple method for generating gamma
/// variables", ACM Trans. Math. Softw. 26 (2000); shapes below 1 by their section 8.
#[derive(Clone, Copy, Debug)]
pub(super) struct GammaDraws {
    normal: &'static Ziggurat,
    d: f64,
    c: f64,
    /// 1 / a for a shape a below 1, which is drawn as a + 1 and then scaled down.
    boost: Option<f64>,
}

impl GammaDraws {
    /// For a shape of 0 or above; a shape of 0 draws 0.
    pub(super) fn new(a: f64) -> Self {
        let boost = (a < 1.0).then(|| 1.0 / a);
        let d = if boost.is_some() { a + 1.0 } else { a } - 1.0 / 3.0;
        GammaDraws {
            normal: Ziggurat::normal(),
            d,
            c: 1.0 / (9.0 * d).sqrt(),
            boost,
        }
    }

    #[inline]
    fn boosted(&self, stream: &mut Stream) -> f64 {
        loop {
            let x = standard_normal(self.normal, stream);
            let v = 1.0 + self.c * x;
            if v <= 0.0 {
                continue;
            }
            let v = v * v * v;
            let u = stream.open_unit();
            let x_squared = x * x;
            if u < 1.0 - 0.0331 * x_squared * x_squared
                || log(u) < 0.5 * x_squared + self.d * (1.0 - v + log(v))
            {
                return self.d * v;
            }
        }
    }

    #[inline]
    pub(super) fn sample(&self, stream: &mut Stream) -> f64 {
        let draw = self.boosted(stream);
        match self.boost {
            None => draw,
            Some(power) => draw * pow(stream.open_unit(), power),
        }
    }

    /// The logarithm of a draw, also where the draw would underflow.
    pub(super) fn sample_ln(&self, stream: &mut Stream) -> f64 {
        let draw = log(self.boosted(stream));
        match self.boost {
            None => draw,
            Some(power) => draw + log(stream.open_unit()) * power,
        }
    }
}

/// Draws of the beta law as shares of two gamma draws.
#[derive(Clone, Copy, Debug)]
pub(super) struct BetaDraws {
    a: GammaDraws,
    b: GammaDraws,
    /// Shapes so small that gamma draws could both underflow.
    small: bool,
}

impl BetaDraws {
    pub(super) fn new(a: f64, b: f64) -> Self {
        BetaDraws {
            a: GammaDraws::new(a),
            b: GammaDraws::new(b),
            small: a.max(b) < 0.5,
        }
    }

    /// Two numbers in the proportion of x to 1 - x.
    pub(super) fn sample_parts(&self, stream: &mut Stream) -> (f64, f64) {
        if self.small {
            let odds = self.a.sample_ln(stream) - self.b.sample_ln(stream);
            // One of them infinite, or both, only for shapes near the smallest number.
            if odds.is_nan() {
                return (0.5, 0.5);
            }
            (1.0 / (1.0 + exp(-odds)), 1.0 / (1.0 + exp(odds)))
        } else {
            (self.a.sample(stream), self.b.sample(stream))
        }
    }

    pub(super) fn sample(&self, stream: &mut Stream) -> f64 {
        let (x, y) = self.sample_parts(stream);
        x / (x + y)
    }
}

/// A draw of the inverse Gaussian law with this mean and shape 1: Michael, Schucany and Haas,
/// "Generating random variates using transformations with multiple roots", Amer. Stat. 30 (1976).
pub(super) fn inverse_gaussian(mu: f64, z: f64, u: f64) -> f64 {
    let w = 0.5 * mu * z * z;
    let x = mu / (1.0 + w + (w * (w + 2.0)).sqrt());
    if u * (mu + x) <= mu { x } else { mu * (mu / x) }
}

/// Draws of the generalized inverse Gaussian law, density x^(p-1) exp(-b (x + 1/x) / 2): Devroye,
/// "Random variate generation for the generalized inverse Gaussian distribution", Stat. Comput.
/// 24 (2014).
#[derive(Clone, Copy, Debug)]
pub(super) struct GeneralizedInverseGaussian {
    p: f64,
    alpha: f64,
    invert: bool,
    factor: f64,
    /// The hat is flat between `left` and `right`, with exponential tails of these widths.
    left: f64,
    right: f64,
    left_width: f64,
    right_width: f64,
    /// The tails' tangent points and the log density there.
    s: f64,
    t: f64,
    at_s: f64,
    at_t: f64,
}

impl GeneralizedInverseGaussian {
    pub(super) fn new(p: f64, b: f64) -> Self {
        let invert = p < 0.0;
        let p = p.abs();
        let root = libm::hypot(b, p);
        let alpha = b * (b / (root + p));
        let psi = |x: f64| -alpha * (cosh(x) - 1.0) - p * (exp(x) - x - 1.0);
        let slope = |x: f64| -alpha * sinh(x) - p * expm1(x);
        let at_one = -psi(1.0);
        let t = if at_one > 2.0 {
            (2.0 / (alpha + p)).sqrt()
        } else if at_one < 0.5 {
            log(4.0 / (alpha + 2.0 * p))
        } else {
            1.0
        };
        let at_minus_one = -psi(-1.0);
        let s = if at_minus_one > 2.0 {
            (4.0 / (alpha * cosh(1.0) + p)).sqrt()
        } else if at_minus_one < 0.5 {
            let inverse = 1.0 / alpha;
            let bound = log(1.0 + inverse + (inverse * (inverse + 2.0)).sqrt());
            if p > 0.0 { bound.min(1.0 / p) } else { bound }
        } else {
            1.0
        };
        let (at_t, at_s) = (-psi(t), -psi(-s));
        let right_width = -1.0 / slope(t);
        let left_width = 1.0 / slope(-s);
        GeneralizedInverseGaussian {
            p,
            alpha,
            invert,
            factor: p / b + libm::hypot(1.0, p / b),
            left: s - left_width * at_s,
            right: t - right_width * at_t,
            left_width,
            right_width,
            s,
            t,
            at_s,
            at_t,
        }
    }

    pub(super) fn sample(&self, stream: &mut Stream) -> f64 {
        let flat = self.left + self.right;
        let all = flat + self.left_width + self.right_width;
        loop {
            let u = stream.open_unit() * all;
            let v = stream.open_unit();
            let (x, ln_hat) = if u < flat {
                (-self.left + flat * v, 0.0)
            } else if u < flat + self.right_width {
                let x = self.right - self.right_width * log(v);
                (x, -self.at_t - (x - self.t) / self.right_width)
            } else {
                let x = -self.left + self.left_width * log(v);
                (x, -self.at_s + (x + self.s) / self.left_width)
            };
            let ln_density = -self.alpha * (cosh(x) - 1.0) - self.p * (exp(x) - x - 1.0);
            if log(stream.open_unit()) + ln_hat <= ln_density {
                let draw = self.factor * exp(x);
                return if self.invert { 1.0 / draw } else { draw };
            }
        }
    }
}

/// From this mean on rejection is quicker than multiplication, and valid.
const POISSON_MU_LARGE: f64 = 10.0;
/// From this mean on the law is normal to 1e-7 in probability.
const POISSON_MU_NORMAL: f64 = 1e12;

/// Draws of the Poisson law.
#[derive(Clone, Copy, Debug)]
pub(super) struct PoissonDraws {
    mu: f64,
    exp_minus_mu: f64,
    log_mu: f64,
}

impl PoissonDraws {
    pub(super) fn new(mu: f64) -> Self {
        PoissonDraws {
            mu,
            exp_minus_mu: exp(-mu),
            log_mu: log(mu),
        }
    }

    pub(super) fn sample(&self, stream: &mut Stream) -> f64 {
        if self.mu < POISSON_MU_LARGE {
            self.sample_small(stream)
        } else if self.mu < POISSON_MU_NORMAL {
            self.sample_large(stream)
        } else if self.mu == f64::INFINITY {
            self.mu
        } else {
            let z = standard_normal(Ziggurat::normal(), stream);
            (self.mu + z * self.mu.sqrt()).round()
        }
    }

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
        let b = 0.931 + 2.53 * self.mu.sqrt();
        let a = -0.059 + 0.02483 * b;
        let inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
        let v_r = 0.9277 - 3.6224 / (b - 2.0);
        loop {
            let u = stream.open_unit() - 0.5;
            let v = stream.open_unit();
            let us = 0.5 - u.abs();
            let k = ((2.0 * a / us + b) * u + self.mu + 0.43).floor();
            if us >= 0.07 && v <= v_r {
                return k;
            }
            if k < 0.0 || (us < 0.013 && v > us) {
                continue;
            }
            let accepted = log(v * inverse_alpha / (a / (us * us) + b));
            if accepted <= k * self.log_mu - self.mu - lgamma(k + 1.0) {
                return k;
            }
        }
    }
}

/// From this mean on rejection is quicker than walking.
const BINOMIAL_MEAN_LARGE: f64 = 10.0;

/// Draws of the binomial law.
#[derive(Clone, Copy, Debug)]
pub(super) struct BinomialDraws {
    n: f64,
    /// The smaller of p and 1 - p.
    p: f64,
    flipped: bool,
}

impl BinomialDraws {
    /// For a whole n of 0 or above and p from 0 to 1; `q` is 1 - p.
    pub(super) fn new(n: f64, p: f64, q: f64) -> Self {
        BinomialDraws {
            n,
            p: p.min(q),
            flipped: p > q,
        }
    }

    pub(super) fn sample(&self, stream: &mut Stream) -> f64 {
        let count = if self.p <= 0.0 || self.n <= 0.0 {
            0.0
        } else if self.n * self.p < BINOMIAL_MEAN_LARGE {
            self.sample_small(stream)
        } else {
            self.sample_large(stream)
        };
        if self.flipped { self.n - count } else { count }
    }

    /// Sums geometric gaps between successes (Devroye 1986, X.4.3, "second waiting time method").
    fn sample_small(&self, stream: &mut Stream) -> f64 {
        let tables = Ziggurat::exponential();
        let limit = -log1p(-self.p);
        let mut count = 0.0;
        let mut sum = 0.0;
        loop {
            sum += standard_exponential(tables, stream) / (self.n - count);
            if sum > limit {
                return count;
            }
            count += 1.0;
            if count >= self.n {
                return count;
            }
        }
    }

    /// Transformed rejection, algorithm BTRS (Hörmann, "The generation of binomial random
    /// variates", J. Stat. Comput. Simul. 46, 1993).
    fn sample_large(&self, stream: &mut Stream) -> f64 {
        let (n, p) = (self.n, self.p);
        let spread = (n * p * (1.0 - p)).sqrt();
        let b = 1.15 + 2.53 * spread;
        let a = -0.0873 + 0.0248 * b + 0.01 * p;
        let c = n * p + 0.5;
        let v_r = 0.92 - 4.2 / b;
        let alpha = (2.83 + 5.1 / b) * spread;
        let ln_odds = log(p / (1.0 - p));
        let mode = ((n + 1.0) * p).floor();
        let at_mode = lgamma(mode + 1.0) + lgamma(n - mode + 1.0);
        loop {
            let u = stream.open_unit() - 0.5;
            let v = stream.open_unit();
            let us = 0.5 - u.abs();
            let k = ((2.0 * a / us + b) * u + c).floor();
            if us >= 0.07 && v <= v_r {
                return k;
            }
            if k < 0.0 || k > n {
                continue;
            }
            let accepted = log(v * alpha / (a / (us * us) + b));
            let ln_ratio = at_mode - lgamma(k + 1.0) - lgamma(n - k + 1.0) + (k - mode) * ln_odds;
            if accepted <= ln_ratio {
                return k;
            }
        }
    }
}
