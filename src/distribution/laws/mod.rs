//! The laws of scipy.stats, by family: a file has the rows of its laws and what they are made of.

mod beta;
mod bounded;
mod counts;
mod exponential;
mod gamma;
mod inverse_gaussian;
mod kolmogorov;
mod noncentral;
mod normal;
mod stable;
mod urns;
mod zipf;

use std::sync::LazyLock;

pub(in crate::distribution) use urns::listed;

use super::law::LawSpec;

/// All laws, in alphabetical order.
static ALL: LazyLock<Vec<LawSpec>> = LazyLock::new(|| {
    let families: [&[LawSpec]; 12] = [
        &beta::SPECS,
        &bounded::SPECS,
        &counts::SPECS,
        &exponential::SPECS,
        &gamma::SPECS,
        &inverse_gaussian::SPECS,
        &kolmogorov::SPECS,
        &noncentral::SPECS,
        &normal::SPECS,
        &stable::SPECS,
        &urns::SPECS,
        &zipf::SPECS,
    ];
    let mut all = families.concat();
    all.sort_by_key(|spec| spec.name);
    all
});

/// Names that scipy.stats has had for laws it still has.
pub(super) const FORMER_NAMES: [(&str, &str); 2] = [("gilbrat", "gibrat"), ("trapz", "trapezoid")];

pub(super) fn all() -> &'static [LawSpec] {
    &ALL
}

/// The law of this name.
pub(super) fn find(name: &str) -> Option<&'static LawSpec> {
    let former = FORMER_NAMES.iter().find(|(former, _)| *former == name);
    let name = former.map_or(name, |&(_, now)| now);
    let place = ALL.binary_search_by_key(&name, |spec| spec.name).ok()?;
    Some(&ALL[place])
}
