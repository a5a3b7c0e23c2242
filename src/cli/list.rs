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
