//! `p2psim list`: what a scenario can name.

use clap::{Args, ValueEnum};

use super::{Failure, print};
use crate::distribution::laws;
use crate::expression::nearest;
use crate::services::{ParameterKind, Registry};
use crate::topology::generators::{self, Family, GeneratorSpec};

/// List what a scenario can name, with parameters, units and defaults
#[derive(Args)]
#[command(after_help = "Example:\n  p2psim list services")]
pub(super) struct ListArgs {
    /// What to list
    #[arg(value_enum)]
    what: What,
    /// One generator only
    name: Option<String>,
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
    if args.name.is_some() && !matches!(args.what, What::Generators) {
        return Err(Failure::Usage(
            "only generators can be listed by name\n  leave the name out".into(),
        ));
    }
    print(&match args.what {
        What::Services => services(registry),
        What::Distributions => distributions(),
        What::Generators => graph_generators(args.name.as_deref())?,
    })
}

fn services(registry: &Registry) -> String {
    let mut text = String::new();
    for spec in registry.iter() {
        text.push_str(&format!("{}\n  {}\n", spec.name, spec.about));
        for parameter in spec.parameters {
            text.push_str(&format!(
                "    {:20} {:10} {}\n",
                parameter.name, parameter.default, parameter.about
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

fn graph_generators(name: Option<&str>) -> Result<String, Failure> {
    if let Some(name) = name {
        return match generators::find(name) {
            Some(spec) => Ok(graph_generator(spec)),
            None => {
                let specs = generators::specs().iter();
                let known = specs.flat_map(|spec| [&[spec.name], spec.aliases].concat());
                let cure = nearest(name, known)
                    .unwrap_or_else(|| "`p2psim list generators` shows all".to_owned());
                Err(Failure::Usage(format!(
                    "there is no generator `{name}`\n  {cure}"
                )))
            }
        };
    }
    let mut text = String::from(
        "A graph is written as in networkx: name(arguments), with keywords if you like; the ending\n\
         _graph may be left out. Peers are numbered from 0. The scenario's seed decides.\n",
    );
    for family in Family::ALL {
        text.push_str(&format!("\n{}\n\n", family.title()));
        for spec in generators::specs().iter().filter(|s| s.family == family) {
            text.push_str(&graph_generator(spec));
        }
    }
    Ok(text)
}

fn graph_generator(spec: &GeneratorSpec) -> String {
    let mut text = format!("{}\n{}", spec.call(), wrapped(spec.about, 4));
    if !spec.aliases.is_empty() {
        text.push_str(&format!("    also {}\n", spec.aliases.join(", ")));
    }
    for parameter in spec.parameters {
        let default = match parameter.default_shown() {
            Some(default) => format!("; {default} unless given"),
            None => String::new(),
        };
        text.push_str(&format!(
            "      {}: {}{default}\n",
            parameter.name, parameter.kind
        ));
    }
    text
}

/// Text in lines of at most 96 characters, each with a margin.
fn wrapped(text: &str, margin: usize) -> String {
    let mut lines = String::new();
    let mut width = 0;
    for word in text.split(' ') {
        if width == 0 || width + 1 + word.len() > 96 {
            if width > 0 {
                lines.push('\n');
            }
            lines.push_str(&" ".repeat(margin));
            width = margin;
        } else {
            lines.push(' ');
            width += 1;
        }
        lines.push_str(word);
        width += word.len();
    }
    lines.push('\n');
    lines
}
