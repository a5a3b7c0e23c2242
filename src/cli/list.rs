//! `p2psim list`: what a scenario can name.

use clap::{Args, ValueEnum};

use super::{Failure, print};
use crate::distribution::laws;
use crate::services::{ParameterKind, Registry};
use crate::topology::generators;

/// List what a scenario can name, with parameters, units and defaults
#[derive(Args)]
#[command(after_help = "Example:\n  p2psim list services")]
pub(super) struct ListArgs {
    /// What to list
    #[arg(value_enum)]
    what: What,
}

#[derive(Clone, Copy, ValueEnum)]
enum What {
    /// Protocols that peers run
    Services,
    /// Laws of random numbers
    Distributions,
    /// Graphs
    Generators,
}

pub(super) fn list(args: &ListArgs, registry: &Registry) -> Result<(), Failure> {
    print(&match args.what {
        What::Services => services(registry),
        What::Distributions => distributions(),
        What::Generators => graph_generators(),
    })
}

fn services(registry: &Registry) -> String {
    let mut text = String::new();
    for spec in registry.iter() {
        text.push_str(&format!("{}\n  {}\n", spec.name, spec.about));
        for parameter in spec.parameters {
            text.push_str(&format!(
                "    {:20} {:10} {}\n",
                parameter.name,
                match parameter.default {
                    "" => "(required)",
                    default => default,
                },
                parameter.about
            ));
            text.push_str(&format!("    {:31} {}\n", "", kind(parameter.kind)));
        }
        for message in spec.messages {
            let does = if message.handled {
                "sends and handles"
            } else {
                "sends"
            };
            text.push_str(&format!("    {does} {} ({})\n", message.name, message.size));
        }
        text.push('\n');
    }
    text
}

fn kind(kind: ParameterKind) -> String {
    match kind {
        ParameterKind::Duration { min_ns: 0 } => "a time".into(),
        ParameterKind::Duration { .. } => "a time above 0".into(),
        ParameterKind::Count { min, max } => format!("a whole number from {min} to {max}"),
        ParameterKind::Probability => "a number from 0 to 1".into(),
        ParameterKind::Flag => "true or false".into(),
        ParameterKind::Law(dimension) => {
            format!("{}, or a distribution of it", dimension.described())
        }
        ParameterKind::OptionalLaw(dimension) => {
            format!(
                "{}, or a distribution of it, or none",
                dimension.described()
            )
        }
        ParameterKind::Positive { max } => format!("a number above 0, at most {max}"),
        ParameterKind::Word(words) => words.join(" or "),
        ParameterKind::Durations => "a list of times".into(),
        ParameterKind::Types => "a list of peer types".into(),
        ParameterKind::Peers => "a list of peers' ids".into(),
    }
}

fn distributions() -> String {
    let mut text = String::from(
        "A distribution is written as in scipy.stats: name(shapes..., loc, scale), with keywords\n\
         if you like; loc is 0 and scale 1 unless given. loc and scale take units, shapes do not.\n\n",
    );
    for law in laws() {
        let call = format!("{}({})", law.name, law.parameters().join(", "));
        text.push_str(&format!("{call:32} {}\n", law.about));
        for (shape, range) in law.shapes {
            text.push_str(&format!("{:32}   {shape}: {}\n", "", range.described()));
        }
    }
    text.push_str(&format!(
        "{:32} a constant, with a unit if you like\n",
        "12 ms"
    ));
    text.push_str(&format!(
        "{:32} one of the listed values\n",
        "sample(a, b, ...)"
    ));
    let call = "sample([a, b], weights=[3, 1])";
    text.push_str(&format!("{call:32} one of them, by weight\n"));
    text
}

fn graph_generators() -> String {
    let mut text = String::from(
        "A graph is written as in networkx: name(arguments), with keywords if you like; the ending\n\
         _graph may be left out. Peers are numbered from 0. The scenario's seed decides.\n\n",
    );
    for spec in generators::specs() {
        let names: Vec<&str> = spec.arguments.iter().map(|&(name, _)| name).collect();
        let call = format!("{}({})", spec.name, names.join(", "));
        text.push_str(&format!("{call:32} {}\n", spec.about));
        if !spec.aliases.is_empty() {
            text.push_str(&format!("{:32}   also {}\n", "", spec.aliases.join(", ")));
        }
    }
    text
}
