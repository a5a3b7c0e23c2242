//! `--what latencies.LocA.LocB`: from a dotted path of keys to what is drawn.

use super::{Latencies, Peers, Series, Subject, bandwidth, stream};
use crate::distribution::Distribution;
use crate::expression::nearest;
use crate::services::ParameterValue;
use crate::simulation::{PeerType, Plan, Population};
use crate::units::Dimension;

/// More names than this are not listed in an error.
const LISTED_MAX: usize = 10;

/// A path that leads to nothing that can be drawn.
#[derive(Debug, thiserror::Error)]
#[error("--what {path}: {problem}\n  {cure}")]
pub struct PathError {
    path: String,
    problem: String,
    cure: String,
}

/// What `path` names in a scenario: `latencies` (also from one location, `latencies.LocA`),
/// `peers`, or one law or number (`topology.join`, `peer_types.basic.bandwidth_ul`).
///
/// # Errors
/// Where the path leads nowhere, and what there is instead.
pub fn select<'a>(plan: &'a Plan, path: Option<&str>) -> Result<Subject<'a>, PathError> {
    let Some(path) = path else {
        return Ok(Subject::Both(Latencies::all(plan), Peers { plan }));
    };
    let mut walk = Walk { path, at: 0 };
    match walk.step(
        "the scenario",
        &["latencies", "peers", "peer_types", "topology"],
    )? {
        0 => walk.latencies(plan),
        1 => walk.end().map(|()| Subject::Peers(Peers { plan })),
        2 => walk.peer_type(plan).map(Subject::Law),
        _ => walk.topology(plan).map(Subject::Law),
    }
}

/// A path and how far it has been followed.
struct Walk<'p> {
    path: &'p str,
    at: usize,
}

impl Walk<'_> {
    fn rest(&self) -> &str {
        self.path[self.at..].trim_start_matches('.')
    }

    fn walked(&self) -> &str {
        self.path[..self.at].trim_end_matches('.')
    }

    fn wrong(&self, problem: String, cure: impl Into<String>) -> PathError {
        PathError {
            path: self.path.into(),
            problem,
            cure: cure.into(),
        }
    }

    /// Takes the next key, one of `names`, and returns its place among them. Names may have
    /// dots in them: the longest that fits is taken.
    fn step<N: AsRef<str>>(&mut self, level: &str, names: &[N]) -> Result<usize, PathError> {
        let rest = self.rest();
        let fits = |name: &str| {
            rest.strip_prefix(name)
                .is_some_and(|after| after.is_empty() || after.starts_with('.'))
        };
        let found = (0..names.len())
            .filter(|&place| fits(names[place].as_ref()))
            .max_by_key(|&place| names[place].as_ref().len());
        if let Some(place) = found {
            self.at = self.path.len() - rest.len() + names[place].as_ref().len();
            return Ok(place);
        }
        let part = rest.split('.').next().unwrap_or(rest);
        let problem = if part.is_empty() {
            format!("{level} is no single distribution")
        } else {
            format!("{level} has no `{part}`")
        };
        Err(self.wrong(problem, there_is(part, names)))
    }

    /// There must be nothing more.
    fn end(&self) -> Result<(), PathError> {
        match self.rest() {
            "" => Ok(()),
            more => Err(self.wrong(
                format!("nothing is inside `{}`", self.walked()),
                format!("leave out `.{more}`"),
            )),
        }
    }

    fn latencies<'a>(mut self, plan: &'a Plan) -> Result<Subject<'a>, PathError> {
        let mut latencies = Latencies::all(plan);
        if !self.rest().is_empty() {
            latencies.from = vec![self.step("`latencies`", &plan.locations)?];
            let from = latencies.from[0];
            if !self.rest().is_empty() {
                // Only what the scenario says something about can be picked.
                let known: Vec<usize> = (0..plan.locations.len())
                    .filter(|&to| latencies.series(from, to).is_some())
                    .collect();
                let names: Vec<&str> = known
                    .iter()
                    .map(|&to| plan.locations[to].as_str())
                    .collect();
                let level = format!("`{}`", self.walked());
                latencies.to = vec![known[self.step(&level, &names)?]];
            }
        }
        self.end()?;
        Ok(Subject::Latencies(latencies))
    }

    fn peer_type(mut self, plan: &Plan) -> Result<Series, PathError> {
        let names: Vec<&str> = plan.types.iter().map(|t| t.name.as_str()).collect();
        let peer_type = &plan.types[self.step("`peer_types`", &names)?];
        let level = format!("`{}`", self.walked());
        let keys = ["bandwidth_ul", "bandwidth_dl", "location", "services"];
        match self.step(&level, &keys)? {
            0 => self.end().map(|()| bandwidth(plan, peer_type, true)),
            1 => self.end().map(|()| bandwidth(plan, peer_type, false)),
            2 => Err(self.wrong(
                format!("`{}` is a choice of names, not of numbers", self.walked()),
                "--what peers draws locations",
            )),
            _ => self.parameter(plan, peer_type),
        }
    }

    fn parameter(mut self, plan: &Plan, peer_type: &PeerType) -> Result<Series, PathError> {
        let level = format!("`{}`", self.walked());
        let names: Vec<&str> = peer_type.services.iter().map(|s| s.spec.name).collect();
        let service = &peer_type.services[self.step(&level, &names)?];
        let level = format!("`{}`", self.walked());
        let values: Vec<(&str, &ParameterValue)> = service.parameters.iter().collect();
        let names: Vec<&str> = values.iter().map(|&(name, _)| name).collect();
        let (name, value) = values[self.step(&level, &names)?];
        self.end()?;
        let (law, dimension) = match value {
            ParameterValue::Law(law) | ParameterValue::OptionalLaw(Some(law)) => {
                (law.clone(), service.dimension(name))
            }
            ParameterValue::Duration(time) => {
                (Distribution::constant(time.as_ms()), Dimension::Time)
            }
            ParameterValue::Count(count) => {
                (Distribution::constant(*count as f64), Dimension::Plain)
            }
            ParameterValue::Probability(share) => {
                (Distribution::constant(*share), Dimension::Plain)
            }
            ParameterValue::Number(number) | ParameterValue::Positive(number) => {
                (Distribution::constant(*number), Dimension::Plain)
            }
            ParameterValue::OptionalLaw(None)
            | ParameterValue::Flag(_)
            | ParameterValue::Word(_)
            | ParameterValue::Durations(_)
            | ParameterValue::Types(_)
            | ParameterValue::Peers(_) => {
                return Err(self.wrong(
                    format!("`{}` is no number", self.walked()),
                    "name a number or a distribution",
                ));
            }
        };
        Ok(self.law(plan, name, name, law, dimension))
    }

    fn topology(mut self, plan: &Plan) -> Result<Series, PathError> {
        match &plan.population {
            Population::Emergent { join, .. } => {
                self.step("`topology`", &["join"])?;
                self.end()?;
                let law = join.clone();
                Ok(self.law(plan, "join", "time of joining", law, Dimension::Time))
            }
            Population::Graph { .. } => Err(self.wrong(
                "no distribution is in `topology`, which is a graph".into(),
                "an emergent topology has `join`",
            )),
        }
    }

    fn law(
        &self,
        plan: &Plan,
        key: &str,
        measures: &str,
        law: Distribution,
        dimension: Dimension,
    ) -> Series {
        Series {
            title: self.path.into(),
            column: match dimension {
                Dimension::Plain => key.into(),
                Dimension::Time => format!("{key}_ms"),
                Dimension::Bandwidth => format!("{key}_bit_per_s"),
                Dimension::Bytes => format!("{key}_bytes"),
            },
            measures: measures.into(),
            dimension,
            law,
            seed: plan.seed,
            stream: stream(plan.seed, self.path),
            bandwidth: None,
        }
    }
}

/// What exists, and what may have been meant.
fn there_is<N: AsRef<str>>(part: &str, names: &[N]) -> String {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    let near = nearest(part, names.iter().copied()).filter(|_| !part.is_empty());
    let shown = names[..names.len().min(LISTED_MAX)].join(", ");
    let listed = match names.len().saturating_sub(LISTED_MAX) {
        _ if names.is_empty() => "there is nothing in it".into(),
        0 => format!("there is {shown}"),
        more => format!("there is {shown} and {more} more"),
    };
    match near {
        Some(near) => format!("{near} {listed}"),
        None => listed,
    }
}
