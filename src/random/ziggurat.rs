//! Standard normal and exponential draws by the ziggurat method, on `libm` alone: rand_distr's
//! own ziggurats call the platform's `exp` and `ln` wherever another crate of the tree turns on
//! `num-traits/std`, and those differ between platforms.
//!
//! Marsaglia and Tsang, "The ziggurat method for generating random variables", J. Stat. Softw.
//! 5 (2000); the layer and the abscissa come from different bits (Doornik, 2005).

use std::sync::LazyLock;

use super::Stream;

const LAYERS: usize = 256;

/// Equal areas under a decreasing density: layer `i` reaches from `x[i + 1]` to `x[i]`.
#[derive(Debug)]
pub struct Ziggurat {
    x: [f64; LAYERS + 1],
    density: [f64; LAYERS + 1],
}

impl Ziggurat {
    /// `tail` is where the lowest layer's tail begins, `area` the area of every layer.
    fn new(
        tail: f64,
        area: f64,
        density: impl Fn(f64) -> f64,
        inverse: impl Fn(f64) -> f64,
    ) -> Self {
        let mut x = [0.0; LAYERS + 1];
        x[0] = area / density(tail);
        x[1] = tail;
        for layer in 2..LAYERS {
            x[layer] = inverse(density(x[layer - 1]) + area / x[layer - 1]);
        }
        Ziggurat {
            density: x.map(density),
            x,
        }
    }
}

static NORMAL: LazyLock<Ziggurat> = LazyLock::new(|| {
    Ziggurat::new(
        NORMAL_TAIL,
        4.928_673_233_974_655e-3,
        |x| libm::exp(-0.5 * x * x),
        |y| libm::sqrt(-2.0 * libm::log(y)),
    )
});

static EXPONENTIAL: LazyLock<Ziggurat> = LazyLock::new(|| {
    Ziggurat::new(
        EXPONENTIAL_TAIL,
        3.949_659_822_581_557e-3,
        |x| libm::exp(-x),
        |y| -libm::log(y),
    )
});

const NORMAL_TAIL: f64 = 3.654_152_885_361_009;
const EXPONENTIAL_TAIL: f64 = 7.697_117_470_131_05;

impl Ziggurat {
    /// The tables of the standard normal law.
    pub fn normal() -> &'static Self {
        &NORMAL
    }

    /// The tables of the standard exponential law.
    pub fn exponential() -> &'static Self {
        &EXPONENTIAL
    }
}

/// A draw of the standard normal law; `tables` is [`Ziggurat::normal`].
#[inline(always)]
pub fn standard_normal(tables: &Ziggurat, stream: &mut Stream) -> f64 {
    let bits = stream.next_u64();
    let layer = (bits & 0xff) as usize;
    // The middle of one of 2^52 cells of (-1, 1): never 0, and each sign half of the time.
    let u = ((bits >> 12) as i64 as f64 + 0.5) * (2.0 / (1_u64 << 52) as f64) - 1.0;
    let x = u * tables.x[layer];
    if x.abs() < tables.x[layer + 1] {
        return x;
    }
    let (x, rest) = normal_outside(tables, stream.clone(), layer, u);
    *stream = rest;
    x
}

/// Goes on from the one draw of a hundred that is not inside its layer: apart, so that the others
/// need no call, and the stream, which comes back with the draw, no place in memory.
#[cold]
#[inline(never)]
fn normal_outside(tables: &Ziggurat, mut stream: Stream, layer: usize, u: f64) -> (f64, Stream) {
    if layer == 0 {
        return (normal_tail(&mut stream, u < 0.0), stream);
    }
    let x = u * tables.x[layer];
    let (low, high) = (tables.density[layer], tables.density[layer + 1]);
    if low + (high - low) * stream.unit() < libm::exp(-0.5 * x * x) {
        return (x, stream);
    }
    (standard_normal(tables, &mut stream), stream)
}

#[cold]
fn normal_tail(stream: &mut Stream, negative: bool) -> f64 {
    loop {
        let x = -libm::log(stream.open_unit()) / NORMAL_TAIL;
        let y = -libm::log(stream.open_unit());
        if 2.0 * y >= x * x {
            let draw = NORMAL_TAIL + x;
            return if negative { -draw } else { draw };
        }
    }
}

/// A draw of the standard exponential law; `tables` is [`Ziggurat::exponential`].
#[inline]
pub fn standard_exponential(tables: &Ziggurat, stream: &mut Stream) -> f64 {
    loop {
        let bits = stream.next_u64();
        let layer = (bits & 0xff) as usize;
        let u = ((bits >> 12) as i64 as f64 + 0.5) * (1.0 / (1_u64 << 52) as f64);
        let x = u * tables.x[layer];
        if x < tables.x[layer + 1] {
            return x;
        }
        if layer == 0 {
            return EXPONENTIAL_TAIL - libm::log(stream.open_unit());
        }
        let (low, high) = (tables.density[layer], tables.density[layer + 1]);
        if low + (high - low) * stream.unit() < libm::exp(-x) {
            return x;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;

    #[test]
    fn layers_are_equal_and_reach_the_top() {
        for (tables, area) in [
            (Ziggurat::normal(), 4.928_673_233_974_655e-3),
            (Ziggurat::exponential(), 3.949_659_822_581_557e-3),
        ] {
            for layer in 1..LAYERS {
                let height = tables.density[layer + 1] - tables.density[layer];
                let difference = tables.x[layer] * height - area;
                assert!(difference.abs() < 1e-9, "layer {layer}: {difference}");
            }
        }
    }

    #[test]
    fn moments_are_those_of_the_laws() {
        let mut stream = Stream::global(1, Purpose::Sample);
        let n = 1_000_000;
        let moments = |draws: Vec<f64>| {
            let mean = draws.iter().sum::<f64>() / f64::from(n);
            let power = |k| draws.iter().map(|x| (x - mean).powi(k)).sum::<f64>() / f64::from(n);
            (mean, power(2), power(4))
        };
        let normal = (0..n)
            .map(|_| standard_normal(Ziggurat::normal(), &mut stream))
            .collect();
        let (mean, variance, fourth) = moments(normal);
        assert!(
            mean.abs() < 0.005 && (variance - 1.0).abs() < 0.008,
            "{mean} {variance}"
        );
        assert!((fourth - 3.0).abs() < 0.06, "{fourth}");
        let exponential = (0..n)
            .map(|_| standard_exponential(Ziggurat::exponential(), &mut stream))
            .collect();
        let (mean, variance, fourth) = moments(exponential);
        assert!(
            (mean - 1.0).abs() < 0.005 && (variance - 1.0).abs() < 0.015,
            "{mean} {variance}"
        );
        assert!((fourth - 9.0).abs() < 0.6, "{fourth}");
    }

    #[test]
    fn the_tail_is_reached_as_often_as_it_should_be() {
        let mut stream = Stream::global(2, Purpose::Sample);
        let n = 2_000_000;
        let beyond = (0..n)
            .filter(|_| standard_normal(Ziggurat::normal(), &mut stream).abs() > 4.0)
            .count();
        // P(|Z| > 4) = 6.334e-5: 127 expected, standard deviation 11.
        assert!((72..182).contains(&beyond), "{beyond}");
    }
}
