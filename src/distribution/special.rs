//! Special functions that draws, tables and figures need, on `libm` alone: what they return is the
//! same on every platform, which no library over the platform's `exp` and `ln` promises.

use libm::{erfc, exp, expm1, fabs, lgamma, log, log1p, pow};

/// Iterations after which a series or a continued fraction is taken as it is.
const ITERATIONS_MAX: usize = 20_000;
const EPSILON: f64 = 1e-17;
/// From this shape on the incomplete gamma function is expanded for large shapes.
const GAMMA_SHAPE_LARGE: f64 = 1e5;

pub(super) const EULER_GAMMA: f64 = 0.577_215_664_901_532_9;
/// sqrt(2 pi).
pub(super) const SQRT_TAU: f64 = 2.506_628_274_631_000_5;

/// `libm::exp` to the last bit, in half the time: its steps in the order in which it takes them (they
/// are FreeBSD's `e_exp.c`), without the branches that random arguments mispredict. What needs more
/// than one step of scaling, and the few arguments where its branches differ, go there.
#[inline]
pub(super) fn exp_of_draw(x: f64) -> f64 {
    const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    const P: [f64; 5] = [
        1.666_666_666_666_660_2e-1,
        -2.777_777_777_701_559_3e-3,
        6.613_756_321_437_934e-5,
        -1.653_390_220_546_525_2e-6,
        4.138_136_797_057_238_5e-8,
    ];
    // Its upper 32 bits decide where libm goes: tiny, or at ln 2 / 2, or beyond 2^-1022 and 2^1022.
    let upper = (x.to_bits() >> 32) as u32 & 0x7fff_ffff;
    if !(0x3e30_0001..0x4086_232b).contains(&upper) || upper == 0x3fd6_2e42 {
        return exp(x);
    }
    let power = (std::f64::consts::LOG2_E * x + 0.5_f64.copysign(x)) as i32;
    let high = x - f64::from(power) * LN_2_HIGH;
    let low = f64::from(power) * LN_2_LOW;
    let x = high - low;
    let square = x * x;
    let c =
        x - square * (P[0] + square * (P[1] + square * (P[2] + square * (P[3] + square * P[4]))));
    let y = 1.0 + (x * c / (2.0 - c) - low + high);
    y * f64::from_bits(((1023 + i64::from(power)) as u64) << 52)
}

/// The density of the standard normal law.
pub(super) fn normal_density(x: f64) -> f64 {
    exp(-0.5 * x * x) / SQRT_TAU
}

/// P(Z < x) of the standard normal law.
pub(super) fn normal_cdf(x: f64) -> f64 {
    0.5 * erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
}

/// ln P(Z < x) of the standard normal law, also where the probability underflows.
pub(super) fn ln_normal_cdf(x: f64) -> f64 {
    if x > -10.0 {
        return log(normal_cdf(x));
    }
    // Mills' ratio as a continued fraction (Abramowitz and Stegun 26.2.14), from the inside out.
    let z = -x;
    let mut ratio = z;
    for k in (1..=40).rev() {
        ratio = z + f64::from(k) / ratio;
    }
    -0.5 * x * x - log(ratio * SQRT_TAU)
}

/// The quantile of the standard normal law for 0 < p < 1: Wichura, "Algorithm AS 241", Applied
/// Statistics 37 (1988), PPND16; relative error 1e-16.
pub(super) fn normal_quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if fabs(q) <= 0.425 {
        let r = 0.180625 - q * q;
        return q * ratio(&CENTRAL, r);
    }
    let r = (-log(p.min(1.0 - p))).sqrt();
    let x = if r <= 5.0 {
        ratio(&MIDDLE, r - 1.6)
    } else {
        ratio(&FAR, r - 5.0)
    };
    if q < 0.0 { -x } else { x }
}

/// The quantile of the standard normal law at exp(-t), t >= 0: exact also where exp(-t) is
/// near 1 or underflows.
pub(super) fn normal_quantile_at_exp(t: f64) -> f64 {
    if t < std::f64::consts::LN_2 {
        return -normal_quantile((-expm1(-t)).max(f64::MIN_POSITIVE));
    }
    if t < 600.0 {
        return normal_quantile(exp(-t));
    }
    // Newton's method on ln P(Z < x) = -t; the derivative is about -x this far out.
    let mut x = -(2.0 * t).sqrt();
    for _ in 0..6 {
        x += (ln_normal_cdf(x) + t) / x;
    }
    x
}

/// Numerator and denominator of a rational approximation, lowest power first.
type Rational = ([f64; 8], [f64; 8]);

fn ratio((numerator, denominator): &Rational, r: f64) -> f64 {
    let value = |c: &[f64; 8]| c.iter().rev().fold(0.0, |sum, c| sum * r + c);
    value(numerator) / value(denominator)
}

const CENTRAL: Rational = (
    [
        3.387_132_872_796_366_5,
        1.331_416_678_917_843_8e2,
        1.971_590_950_306_551_3e3,
        1.373_169_376_550_946e4,
        4.592_195_393_154_987e4,
        6.726_577_092_700_87e4,
        3.343_057_558_358_813e4,
        2.509_080_928_730_122_7e3,
    ],
    [
        1.0,
        4.231_333_070_160_091e1,
        6.871_870_074_920_579e2,
        5.394_196_021_424_751e3,
        2.121_379_430_158_659_7e4,
        3.930_789_580_009_271e4,
        2.872_908_573_572_194_3e4,
        5.226_495_278_852_854e3,
    ],
);
const MIDDLE: Rational = (
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_545,
        5.769_497_221_460_691,
        3.647_848_324_763_204_6,
        1.270_458_252_452_368_4,
        2.417_807_251_774_506e-1,
        2.272_384_498_926_918_4e-2,
        7.745_450_142_783_414e-4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        6.897_673_349_851e-1,
        1.481_039_764_274_800_8e-1,
        1.519_866_656_361_645_7e-2,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ],
);
const FAR: Rational = (
    [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        2.965_605_718_285_048_7e-1,
        2.653_218_952_657_612_4e-2,
        1.242_660_947_388_078_4e-3,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ],
    [
        1.0,
        5.998_322_065_558_88e-1,
        1.369_298_809_227_358e-1,
        1.487_536_129_085_061_5e-2,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_8e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ],
);

/// The regularized lower incomplete gamma function P(a, x), a > 0.
pub(super) fn gamma_p(a: f64, x: f64) -> f64 {
    gamma_pq(a, x).0
}

/// The regularized upper incomplete gamma function Q(a, x) = 1 - P(a, x).
pub(super) fn gamma_q(a: f64, x: f64) -> f64 {
    gamma_pq(a, x).1
}

fn gamma_pq(a: f64, x: f64) -> (f64, f64) {
    if x <= 0.0 {
        return (0.0, 1.0);
    }
    if x == f64::INFINITY {
        return (1.0, 0.0);
    }
    if a > GAMMA_SHAPE_LARGE {
        return gamma_pq_large(a, x);
    }
    let front = exp(a * log(x) - x - lgamma(a));
    if x < a + 1.0 {
        // Abramowitz and Stegun 6.5.29.
        let (mut term, mut sum) = (1.0 / a, 1.0 / a);
        for n in 1..ITERATIONS_MAX {
            term *= x / (a + n as f64);
            sum += term;
            if term < sum * EPSILON {
                break;
            }
        }
        let p = (sum * front).min(1.0);
        (p, 1.0 - p)
    } else {
        // Abramowitz and Stegun 6.5.31 by Lentz's method.
        let mut b = x + 1.0 - a;
        let mut c = 1e300;
        let mut d = 1.0 / b;
        let mut h = d;
        for n in 1..ITERATIONS_MAX {
            let n = n as f64;
            let numerator = -n * (n - a);
            b += 2.0;
            d = 1.0 / nonzero(numerator * d + b);
            c = nonzero(b + numerator / c);
            let factor = d * c;
            h *= factor;
            if fabs(factor - 1.0) < 1e-16 {
                break;
            }
        }
        let q = (front * h).min(1.0);
        (1.0 - q, q)
    }
}

/// Temme, "The asymptotic expansion of the incomplete gamma functions", SIAM J. Math. Anal. 10
/// (1979), two terms: exact to 1e-12 for shapes above 1e5.
fn gamma_pq_large(a: f64, x: f64) -> (f64, f64) {
    let mu = (x - a) / a;
    let half_square = mu - log1p(mu);
    let eta = (2.0 * half_square.max(0.0)).sqrt() * if mu < 0.0 { -1.0 } else { 1.0 };
    let c0 = polynomial(
        &[
            -1.0 / 3.0,
            1.0 / 12.0,
            -2.0 / 135.0,
            1.0 / 864.0,
            1.0 / 2835.0,
            -139.0 / 777_600.0,
        ],
        eta.clamp(-0.5, 0.5),
    );
    let c1 = -1.0 / 540.0 - eta.clamp(-0.5, 0.5) / 288.0;
    let rest = exp(-a * half_square) / (SQRT_TAU * a.sqrt()) * (c0 + c1 / a);
    let q = 0.5 * erfc(eta * (0.5 * a).sqrt()) + rest;
    let q = q.clamp(0.0, 1.0);
    (1.0 - q, q)
}

/// A polynomial, lowest power first.
pub(super) fn polynomial(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
}

fn nonzero(x: f64) -> f64 {
    if fabs(x) < 1e-300 { 1e-300 } else { x }
}

/// ln B(a, b).
pub(super) fn ln_beta(a: f64, b: f64) -> f64 {
    let (small, large) = if a < b { (a, b) } else { (b, a) };
    if large < 1e3 {
        return lgamma(a) + lgamma(b) - lgamma(a + b);
    }
    // Stirling's series for the difference of the two large ones, which would cancel.
    let correction = |x: f64| 1.0 / (12.0 * x) - 1.0 / (360.0 * x * x * x);
    let sum = small + large;
    let difference =
        -(large - 0.5) * log1p(small / large) - small * log(sum) + small + correction(large)
            - correction(sum);
    lgamma(small) + difference
}

/// The regularized incomplete beta function I_x(a, b); `y` is 1 - x, to be exact near x = 1.
pub(super) fn beta_inc(a: f64, b: f64, x: f64, y: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if y <= 0.0 {
        return 1.0;
    }
    let front = exp(a * log(x) + b * log(y) - ln_beta(a, b));
    if x < (a + 1.0) / (a + b + 2.0) {
        (front * beta_fraction(a, b, x) / a).min(1.0)
    } else {
        (1.0 - front * beta_fraction(b, a, y) / b).max(0.0)
    }
}

/// The continued fraction of the incomplete beta function (Abramowitz and Stegun 26.5.8) by
/// Lentz's method.
fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    let (sum, above, below) = (a + b, a + 1.0, a - 1.0);
    let mut c = 1.0;
    let mut d = 1.0 / nonzero(1.0 - sum * x / above);
    let mut h = d;
    for m in 1..ITERATIONS_MAX {
        let m = m as f64;
        let mut step = |numerator: f64| {
            d = 1.0 / nonzero(1.0 + numerator * d);
            c = nonzero(1.0 + numerator / c);
            h *= d * c;
            d * c
        };
        step(m * (b - m) * x / ((below + 2.0 * m) * (a + 2.0 * m)));
        let factor = step(-(a + m) * (sum + m) * x / ((a + 2.0 * m) * (above + 2.0 * m)));
        if fabs(factor - 1.0) < 1e-16 {
            break;
        }
    }
    h
}

/// Gamma(x + shift) / Gamma(x), both arguments above 0.
pub(super) fn gamma_ratio(x: f64, shift: f64) -> f64 {
    exp(lgamma(x + shift) - lgamma(x))
}

/// The derivative of the digamma function, x > 0 (Abramowitz and Stegun 6.4.6, 6.4.12).
pub(super) fn trigamma(mut x: f64) -> f64 {
    let mut sum = 0.0;
    while x < 15.0 {
        sum += 1.0 / (x * x);
        x += 1.0;
    }
    let r = 1.0 / (x * x);
    let series = polynomial(
        &[1.0 / 6.0, -1.0 / 30.0, 1.0 / 42.0, -1.0 / 30.0, 5.0 / 66.0],
        r,
    );
    sum + 1.0 / x + 0.5 * r + series * r / x
}

/// exp(-x) times the modified Bessel function of the first kind of order 0 or 1, x >= 0: the
/// trapezoid rule on its integral (Abramowitz and Stegun 9.6.19), which converges geometrically.
pub(super) fn bessel_i_scaled(order: u32, x: f64) -> f64 {
    if x > 1e6 {
        let mu = f64::from(4 * order * order);
        return (1.0 - (mu - 1.0) / (8.0 * x)) / (std::f64::consts::TAU * x).sqrt();
    }
    let points = 64 + (8.0 * x.sqrt()) as u32;
    let mut sum = 0.0;
    for k in 0..=points {
        let angle = std::f64::consts::PI * f64::from(k) / f64::from(points);
        let weight = if k == 0 || k == points { 0.5 } else { 1.0 };
        sum += weight * exp(x * (libm::cos(angle) - 1.0)) * libm::cos(f64::from(order) * angle);
    }
    sum / f64::from(points)
}

/// The sum of k^-s for k from `first` on, s > 1, by Euler and Maclaurin's formula.
pub(super) fn zeta_from(s: f64, first: f64) -> f64 {
    let mut sum = 0.0;
    let mut k = first;
    while k < 16.0 {
        sum += pow(k, -s);
        k += 1.0;
    }
    sum + pow(k, 1.0 - s) / (s - 1.0) + zeta_end(s, k)
}

/// The sum of k^-s for k from 1 to `last`, s >= 0.
pub(super) fn harmonic(s: f64, last: f64) -> f64 {
    let mut sum = 0.0;
    let mut k = 1.0;
    while k < 16.0 {
        if k > last {
            return sum;
        }
        sum += pow(k, -s);
        k += 1.0;
    }
    let end = last + 1.0;
    // The integral of x^-s from k to the end, also where s is near 1.
    let span = log(end / k);
    let growth = (1.0 - s) * span;
    let integral = if fabs(growth) < 1e-12 {
        span
    } else {
        expm1(growth) / (1.0 - s)
    };
    sum + integral * pow(k, 1.0 - s) + zeta_end(s, k) - zeta_end(s, end)
}

/// Euler and Maclaurin's terms at the end k of a sum of powers.
fn zeta_end(s: f64, k: f64) -> f64 {
    let power = pow(k, -s);
    if power == 0.0 {
        return 0.0;
    }
    let r = 1.0 / (k * k);
    let third = s * (s + 1.0) * (s + 2.0);
    let fifth = third * (s + 3.0) * (s + 4.0);
    let seventh = fifth * (s + 5.0) * (s + 6.0);
    let series =
        s / 12.0 - third / 720.0 * r + fifth / 30_240.0 * r * r - seventh / 1_209_600.0 * r * r * r;
    power * (0.5 + series / k)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(got: f64, wanted: f64, tolerance: f64) {
        assert!(
            fabs(got - wanted) <= tolerance * (1.0 + fabs(wanted)),
            "{got} is not {wanted}"
        );
    }

    #[test]
    fn exp_of_a_draw_is_that_of_libm_to_the_bit() {
        let mut stream = crate::random::Stream::global(1, crate::random::Purpose::Sample);
        let ends = [
            0x3e30_0000,
            0x3fd6_2e42,
            0x3ff0_a2b2,
            0x4086_232b,
            0x4086_2e42,
        ];
        let near = ends.map(|upper: u64| f64::from_bits(upper << 32));
        let halves = (-2100..2100).map(|k| 0.5 * f64::from(k) * std::f64::consts::LN_2);
        let places = near.into_iter().chain(halves).chain([0.0, f64::MAX]);
        let around = places.flat_map(|x| [-x, x].map(|x| [x.next_down(), x, x.next_up()]));
        let mut check = |x: f64| {
            assert_eq!(exp_of_draw(x).to_bits(), exp(x).to_bits(), "{x}");
        };
        around.flatten().for_each(&mut check);
        for _ in 0..100_000 {
            let x = 2.0 * stream.unit() - 1.0;
            for size in [1e-9, 0.3, 1.0, 40.0, 800.0] {
                check(size * x);
            }
        }
        assert!(exp_of_draw(f64::NAN).is_nan());
    }

    // The wanted values are mpmath's, at 30 digits.
    #[test]
    fn normal_functions() {
        close(normal_cdf(-3.0), 0.001_349_898_031_630_094_5, 1e-15);
        close(ln_normal_cdf(-40.0), -804.608_442_013_754_4, 1e-14);
        for p in [1e-300, 1e-12, 0.02, 0.3, 0.5, 0.9] {
            close(normal_cdf(normal_quantile(p)) / p, 1.0, 1e-13);
        }
        for t in [1e-10, 0.3, 5.0, 590.0, 650.0, 1e6] {
            close(ln_normal_cdf(normal_quantile_at_exp(t)) / -t, 1.0, 1e-6);
        }
    }
}
