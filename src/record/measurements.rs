//! What services count and observe, under names that they give at run time.

use super::labels::Labels;
use crate::peer::{PeerIndex, TypeIndex};
use crate::time::Time;

/// The most observations that a run keeps: 240 MB in memory.
pub const OBSERVATIONS_MAX: usize = 10_000_000;
/// The most names of counts that a run keeps, and of observations as many.
pub const NAMES_MAX: usize = 10_000;
/// The most bytes that a name has; of a longer one the beginning is kept.
pub const NAME_BYTES_MAX: usize = 100;

/// What stands for a name without letters.
const NO_NAME: &str = "unnamed";
/// In place of a series for rows whose name is not kept.
const NO_SERIES: u32 = u32::MAX;

/// One observation as it is kept: 24 bytes.
#[derive(Clone, Copy, Debug)]
struct Row {
    time: Time,
    value: f64,
    peer: PeerIndex,
    series: u32,
}

const _: () = assert!(size_of::<Row>() == 24, "ten million rows take 240 MB");

impl Row {
    /// The order of rows; those of a peer at one time stand in the order in which it made them.
    fn key(&self) -> (Time, PeerIndex) {
        (self.time, self.peer)
    }
}

/// The observations of one name.
#[derive(Clone, Copy, Debug)]
struct Series {
    id: u32,
    /// How many there were, kept or not.
    observed: u64,
}

/// What services count and observe.
///
/// It is the same however peers are spread over shards: counts are whole numbers, rows are in
/// the order of time, peer and the peer's own order, and where there are too many rows or names
/// the first are kept, of names those in the order of the alphabet.
#[derive(Clone, Debug)]
pub struct Measurements {
    rows_max: usize,
    /// By name, then peer type: none of types that have not counted it. So wide that the sum
    /// does not depend on the order of its terms.
    counts: Labels<Vec<Option<i128>>>,
    series: Labels<Series>,
    series_made: u32,
    /// How many observations there were, whatever their names, kept or not.
    observed: u64,
    /// In the order in which they were made; in their own once settled.
    rows: Vec<Row>,
    /// There are as many rows as may be before this time and peer.
    full_from: (Time, PeerIndex),
    names_left_out: bool,
}

impl Default for Measurements {
    fn default() -> Self {
        Measurements::with_limits(OBSERVATIONS_MAX, NAMES_MAX)
    }
}

impl Measurements {
    /// Nothing yet; so many observations and names will be kept at most.
    pub fn with_limits(rows_max: usize, names_max: usize) -> Self {
        Measurements {
            rows_max,
            counts: Labels::new(names_max),
            series: Labels::new(names_max),
            series_made: 0,
            observed: 0,
            rows: Vec::new(),
            full_from: (Time::from_ns(u64::MAX), PeerIndex(u32::MAX)),
            names_left_out: false,
        }
    }

    /// A peer of this type counts `n` more of `name`.
    #[inline]
    pub(crate) fn count(&mut self, name: &str, peer_type: TypeIndex, n: i64) {
        let name = cut(name);
        match self.counts.get_mut(name) {
            Some(sums) => add(sums, peer_type.as_usize(), n.into()),
            None => {
                let mut sums = Vec::new();
                add(&mut sums, peer_type.as_usize(), n.into());
                self.names_left_out |= !self.counts.insert(name.into(), sums);
            }
        }
    }

    /// A peer observes a value of `name`; false, and nothing else, if it is infinite or no number.
    #[inline]
    pub(crate) fn observe(&mut self, now: Time, peer: PeerIndex, name: &str, value: f64) -> bool {
        if !value.is_finite() {
            return false;
        }
        let name = cut(name);
        let series = match self.series.get_mut(name) {
            Some(series) => {
                series.observed += 1;
                series.id
            }
            None => self.admit_series(name.into(), 1),
        };
        self.observed += 1;
        let row = Row {
            time: now,
            value,
            peer,
            series,
        };
        if row.key() < self.full_from {
            self.rows.push(row);
            // Peers are not quite in the order of time, so that a few rows more are needed.
            if self.rows.len() > self.rows_max + self.rows_max / 16 {
                self.settle();
            }
        }
        true
    }

    /// The series of a name that has none yet.
    #[cold]
    fn admit_series(&mut self, name: Box<str>, observed: u64) -> u32 {
        let id = self.series_made;
        if id == NO_SERIES {
            self.names_left_out = true;
            return NO_SERIES;
        }
        self.series_made += 1;
        // The rows of a name that is left out stay until the end: they count among the first ones.
        self.names_left_out |= !self.series.insert(name, Series { id, observed });
        id
    }

    /// Brings the rows into their order and lets go of those that are too many.
    pub(crate) fn settle(&mut self) {
        self.rows.sort_by_key(Row::key);
        self.rows.truncate(self.rows_max);
        if self.rows.len() == self.rows_max {
            // Later rows of the same peer and time come after the last one, too.
            let start = (Time::ZERO, PeerIndex(0));
            self.full_from = self.rows.last().map_or(start, Row::key);
        }
    }

    /// Takes over what other peers measured in the same run.
    pub(super) fn absorb(&mut self, other: Measurements) {
        for (name, others) in other.counts.into_entries() {
            match self.counts.get_mut(&name) {
                Some(sums) => {
                    for (place, sum) in others.into_iter().enumerate() {
                        if let Some(sum) = sum {
                            add(sums, place, sum);
                        }
                    }
                }
                None => self.names_left_out |= !self.counts.insert(name, others),
            }
        }
        let mut ids: Vec<(u32, u32)> = Vec::new();
        for (name, others) in other.series.into_entries() {
            let id = match self.series.get_mut(&name) {
                Some(series) => {
                    series.observed += others.observed;
                    series.id
                }
                None => self.admit_series(name, others.observed),
            };
            ids.push((others.id, id));
        }
        ids.sort_unstable();
        self.rows.extend(other.rows.into_iter().map(|row| Row {
            series: find(&ids, row.series).unwrap_or(NO_SERIES),
            ..row
        }));
        self.observed += other.observed;
        self.names_left_out |= other.names_left_out;
        self.settle();
    }

    /// Whether any name is left out, since there are more than may be.
    pub fn names_left_out(&self) -> bool {
        self.names_left_out
    }

    /// All counts by name and peer type, in this order, of the types that have counted it; what
    /// is beyond the range of `i64` is shown as its end.
    pub fn counts(&self) -> impl Iterator<Item = (&str, TypeIndex, i64)> {
        self.counts.sorted().into_iter().flat_map(|(name, sums)| {
            let of_type = move |(place, sum): (usize, &Option<i128>)| {
                let sum = (*sum)?;
                Some((name, TypeIndex(place as u16), saturated(sum)))
            };
            sums.iter().enumerate().filter_map(of_type)
        })
    }

    /// What all peers together have counted, by name, in the order of names.
    pub fn totals(&self) -> impl Iterator<Item = (&str, i64)> {
        let total = |sums: &[Option<i128>]| saturated(sums.iter().flatten().sum());
        let counts = self.counts.sorted().into_iter();
        counts.map(move |(name, sums)| (name, total(sums)))
    }

    /// All observations that are kept; complete when the run is finished.
    pub fn observations(&self) -> Observations<'_> {
        let series = self.series.sorted();
        let ids = series.iter().map(|(_, series)| series.id);
        let mut places: Vec<(u32, u32)> = ids.zip(0..).collect();
        places.sort_unstable();
        Observations {
            all: self,
            names: series.iter().map(|&(name, _)| name).collect(),
            places,
        }
    }
}

fn add(sums: &mut Vec<Option<i128>>, place: usize, n: i128) {
    if place >= sums.len() {
        sums.resize(place + 1, None);
    }
    *sums[place].get_or_insert(0) += n;
}

fn saturated(sum: i128) -> i64 {
    sum.clamp(i64::MIN.into(), i64::MAX.into()) as i64
}

/// What is kept of a name.
#[inline]
fn cut(name: &str) -> &str {
    match name.len() {
        0 => NO_NAME,
        1..=NAME_BYTES_MAX => name,
        _ => {
            let mut ends = (0..=NAME_BYTES_MAX).rev();
            &name[..ends.find(|&end| name.is_char_boundary(end)).unwrap_or(0)]
        }
    }
}

/// What stands beside `key` in an ascending list.
fn find(list: &[(u32, u32)], key: u32) -> Option<u32> {
    let found = list.binary_search_by_key(&key, |&(known, _)| known).ok()?;
    Some(list[found].1)
}

/// One observation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observation {
    /// When.
    pub time: Time,
    /// Whose.
    pub peer: PeerIndex,
    /// Of what: a place in [`Observations::names`].
    pub name: usize,
    /// Finite.
    pub value: f64,
}

/// All observations that are kept, in the order of time, peer, and the peer's own order.
#[derive(Debug)]
pub struct Observations<'a> {
    all: &'a Measurements,
    names: Vec<&'a str>,
    /// Of each series its place among the names.
    places: Vec<(u32, u32)>,
}

impl Observations<'_> {
    /// The names, ascending.
    pub fn names(&self) -> &[&str] {
        &self.names
    }

    /// The observations themselves.
    pub fn iter(&self) -> impl Iterator<Item = Observation> + '_ {
        self.all.rows.iter().filter_map(|row| {
            Some(Observation {
                time: row.time,
                peer: row.peer,
                name: find(&self.places, row.series)? as usize,
                value: row.value,
            })
        })
    }

    /// How many observations were made, kept or not.
    pub fn made(&self) -> u64 {
        self.all.observed
    }

    /// The observations of each name in figures, in the order of the names.
    pub fn figures(&self) -> Vec<ObservedFigures> {
        let mut values: Vec<Vec<f64>> = vec![Vec::new(); self.names.len()];
        for observation in self.iter() {
            values[observation.name].push(observation.value);
        }
        let series = self.all.series.sorted().into_iter();
        let made = series.map(|(_, series)| series.observed);
        let figures = values.into_iter().zip(made);
        figures
            .map(|(values, made)| ObservedFigures {
                made,
                kept: Figures::of(values),
            })
            .collect()
    }
}

/// The observations of one name in figures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ObservedFigures {
    /// How many were made, kept or not.
    pub made: u64,
    /// Those that are kept; `None` if none is.
    pub kept: Option<Figures>,
}

/// Values in figures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// How many there are.
    pub count: u64,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation (with n - 1); `None` of a single one.
    pub sd: Option<f64>,
    /// The least.
    pub min: f64,
    /// The median; between two values the middle.
    pub median: f64,
    /// The value below which 95 % lie, between two of them linearly, as numpy has it.
    pub p95: f64,
    /// The greatest.
    pub max: f64,
}

impl Figures {
    /// The figures of finite values; `None` without any.
    pub fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_unstable_by(f64::total_cmp);
        let (&min, &max) = (values.first()?, values.last()?);
        let count = values.len();
        // In the middle of the range of numbers squares neither overflow nor vanish; a power of
        // two changes no digit.
        let exponent = libm::frexp(min.abs().max(max.abs())).1.clamp(-1000, 1000);
        let scale = libm::scalbn(1.0, -exponent);
        let scaled = || values.iter().map(|value| value * scale);
        let mean = scaled().sum::<f64>() / count as f64;
        let squares: f64 = scaled().map(|value| (value - mean) * (value - mean)).sum();
        let sd = (count > 1).then(|| {
            let sd = libm::sqrt(squares / (count - 1) as f64);
            // What rounding makes of equal values is no spread.
            if min == max { 0.0 } else { sd / scale }
        });
        Some(Figures {
            count: count as u64,
            mean: (mean / scale).clamp(min, max),
            sd,
            min,
            median: quantile(&values, 0.5),
            p95: quantile(&values, 0.95),
            max,
        })
    }
}

/// The value below which the share `p` of ascending values, at least one, lies.
fn quantile(sorted: &[f64], p: f64) -> f64 {
    let at = p * (sorted.len() - 1) as f64;
    let (low, high) = (sorted[at as usize], sorted[libm::ceil(at) as usize]);
    if low == high {
        return low;
    }
    let share = at - libm::floor(at);
    low * (1.0 - share) + high * share
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Time {
        Time::from_ns(ms * 1_000_000)
    }

    fn observe(of: &mut Measurements, at: u64, peer: u32, name: &str, value: f64) {
        assert!(of.observe(ms(at), PeerIndex(peer), name, value));
    }

    /// The kept rows: time in ms, peer, name, value.
    fn rows(of: &Measurements) -> Vec<(f64, u32, String, f64)> {
        let observations = of.observations();
        let names = observations.names();
        let row = |o: Observation| (o.time.as_ms(), o.peer.0, names[o.name].into(), o.value);
        observations.iter().map(row).collect()
    }

    fn totals(of: &Measurements) -> Vec<(String, i64)> {
        let totals = of.totals();
        totals.map(|(name, sum)| (name.to_owned(), sum)).collect()
    }

    #[test]
    fn counts_add_up_by_type_in_the_order_of_names() {
        let mut measurements = Measurements::default();
        for (name, kind, n) in [("b", 2, 5), ("a", 0, 1), ("b", 0, -7), ("b", 2, 1)] {
            measurements.count(name, TypeIndex(kind), n);
        }
        let counts: Vec<_> = measurements.counts().collect();
        let expected = [
            ("a", TypeIndex(0), 1),
            ("b", TypeIndex(0), -7),
            ("b", TypeIndex(2), 6),
        ];
        assert_eq!(counts, expected);
        assert_eq!(totals(&measurements), [("a".into(), 1), ("b".into(), -1)]);
    }

    /// MAX + 1 - 1 is MAX, in whatever order and from whichever shards it comes.
    #[test]
    fn counts_saturate_only_when_they_are_shown() {
        let mut measurements = Measurements::default();
        let mut other = Measurements::default();
        measurements.count("x", TypeIndex(0), i64::MAX);
        measurements.count("x", TypeIndex(0), 1);
        assert_eq!(totals(&measurements), [("x".into(), i64::MAX)]);
        other.count("x", TypeIndex(0), -3);
        measurements.absorb(other);
        assert_eq!(totals(&measurements), [("x".into(), i64::MAX - 2)]);
        measurements.count("x", TypeIndex(1), i64::MIN);
        measurements.count("x", TypeIndex(1), i64::MIN);
        let of_type: Vec<i64> = measurements.counts().map(|(_, _, sum)| sum).collect();
        assert_eq!(of_type, [i64::MAX - 2, i64::MIN]);
    }

    #[test]
    fn what_is_no_number_is_refused() {
        let mut measurements = Measurements::default();
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(!measurements.observe(ms(1), PeerIndex(0), "x", value));
        }
        assert!(measurements.observations().names().is_empty());
        assert_eq!(measurements.observations().made(), 0);
        observe(&mut measurements, 1, 0, "x", f64::MAX);
    }

    #[test]
    fn rows_are_in_the_order_of_time_peer_and_its_own() {
        let mut measurements = Measurements::default();
        for (at, peer, value) in [(5, 1, 1.0), (3, 2, 2.0), (5, 0, 3.0), (5, 1, 0.0)] {
            observe(&mut measurements, at, peer, "x", value);
        }
        measurements.settle();
        let kept: Vec<_> = rows(&measurements).into_iter().map(|row| row.3).collect();
        assert_eq!(kept, [2.0, 3.0, 1.0, 0.0]);
    }

    /// Rows of forty peers, which follow one another only peer by peer, in one part or several.
    fn spread(rows_max: usize, names_max: usize, parts: u32) -> Measurements {
        let mut all: Vec<Measurements> = Vec::new();
        for part in 0..parts {
            let mut measurements = Measurements::with_limits(rows_max, names_max);
            let peers = || (0..40).filter(|peer| peer * parts / 40 == part);
            for step in 0..30_u64 {
                for peer in peers() {
                    // Some are ahead of the others.
                    let at = step / 2 + u64::from(peer) % 7;
                    let name = format!("n{}", (u64::from(peer) * 31 + step * 17) % 23);
                    observe(&mut measurements, at, peer, &name, step as f64);
                    measurements.count(&name, TypeIndex((peer % 3) as u16), 1);
                }
            }
            measurements.settle();
            all.push(measurements);
        }
        let mut all = all.into_iter();
        let mut merged = all.next().unwrap_or_default();
        all.for_each(|part| merged.absorb(part));
        merged
    }

    fn assert_same(a: &Measurements, b: &Measurements) {
        assert_eq!(rows(a), rows(b));
        assert_eq!(a.observations().figures(), b.observations().figures());
        assert_eq!(a.observations().made(), b.observations().made());
        assert_eq!(
            a.counts().collect::<Vec<_>>(),
            b.counts().collect::<Vec<_>>()
        );
        assert_eq!(a.names_left_out(), b.names_left_out());
    }

    #[test]
    fn the_first_rows_are_kept_however_peers_are_spread() {
        let everything = spread(usize::MAX / 32, NAMES_MAX, 1);
        assert_eq!(rows(&everything).len(), 1200);
        for rows_max in [0, 1, 100, 500, 1199, 1200, 1201] {
            let bounded = spread(rows_max, NAMES_MAX, 1);
            let first = &rows(&everything)[..rows_max.min(1200)];
            assert_eq!(rows(&bounded), first);
            assert_eq!(bounded.observations().made(), 1200);
            assert!(!bounded.names_left_out());
            for parts in [2, 3, 7] {
                assert_same(&bounded, &spread(rows_max, NAMES_MAX, parts));
            }
        }
    }

    #[test]
    fn the_first_names_are_kept_however_peers_are_spread() {
        let everything = spread(500, NAMES_MAX, 1);
        for names_max in [1, 5, 22, 23] {
            let bounded = spread(500, names_max, 1);
            let all = everything.observations();
            let first = &all.names()[..names_max];
            assert_eq!(bounded.observations().names(), first);
            let mut of_first = rows(&everything);
            of_first.retain(|row| first.contains(&&*row.2));
            assert_eq!(rows(&bounded), of_first);
            assert_eq!(totals(&bounded), totals(&everything)[..names_max]);
            assert_eq!(bounded.names_left_out(), names_max < 23);
            for parts in [2, 3, 7] {
                assert_same(&bounded, &spread(500, names_max, parts));
            }
        }
    }

    #[test]
    fn long_names_are_cut_at_a_letter() {
        let mut measurements = Measurements::default();
        measurements.count(&"ä".repeat(80), TypeIndex(0), 1);
        measurements.count(&format!("x{}", "ä".repeat(80)), TypeIndex(0), 1);
        measurements.count("", TypeIndex(0), 1);
        let names: Vec<usize> = measurements.totals().map(|(name, _)| name.len()).collect();
        assert_eq!(names, [NO_NAME.len(), 99, 100]);
    }

    /// Computed by hand: 1, 2, 4, 8, 16 have the mean 6.2, the squares 27.04 + 17.64 + 4.84 +
    /// 3.24 + 96.04 = 148.8, and 95 % of the way, at 3.8 steps of four, 8 + 0.8 * 8.
    #[test]
    fn figures_are_those_computed_by_hand() {
        let figures = Figures::of(vec![16.0, 2.0, 8.0, 1.0, 4.0]).unwrap_or_else(|| panic!());
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} is not {b}");
        assert_eq!((figures.count, figures.min, figures.max), (5, 1.0, 16.0));
        assert_eq!(figures.median, 4.0);
        close(figures.mean, 6.2);
        close(figures.sd.unwrap_or_default(), libm::sqrt(37.2));
        close(figures.p95, 14.4);
        let two = Figures::of(vec![3.0, 1.0]).unwrap_or_else(|| panic!());
        assert_eq!((two.median, two.mean), (2.0, 2.0));
        close(two.p95, 2.9);
        let one = Figures::of(vec![0.1]).unwrap_or_else(|| panic!());
        assert_eq!((one.mean, one.sd, one.p95), (0.1, None, 0.1));
        assert_eq!(Figures::of(Vec::new()), None);
    }

    #[test]
    fn figures_of_very_large_and_very_small_values_are_finite() {
        for size in [f64::MAX, 1e200, 1e-200, f64::from_bits(64)] {
            let figures = Figures::of(vec![size, size / 2.0, size]).unwrap_or_else(|| panic!());
            let relative = figures.mean / size;
            assert!((relative - 5.0 / 6.0).abs() < 0.01, "{size}: {relative}");
            let sd = figures.sd.unwrap_or_default() / size;
            assert!((sd - libm::sqrt(1.0 / 12.0)).abs() < 0.01, "{size}: {sd}");
        }
        let equal = Figures::of(vec![0.1; 3]).unwrap_or_else(|| panic!());
        assert_eq!((equal.mean, equal.sd), (0.1, Some(0.0)));
    }
}
