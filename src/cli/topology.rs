//! `p2psim topology`: the graph a scenario starts with, or the one a run ended with.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::{Failure, Overrides, complain, is_stdout, load, output};
use crate::report::sample::PictureFormat;
use crate::report::{Arrangement, Colour, Drawing, Effort, Exported, Figures, GraphFormat};
use crate::scenario::{self, LoadOptions};
use crate::services::Registry;
use crate::simulation::Setup;

/// Export, draw or measure the initial graph of a scenario, or the final one of a run
#[derive(Args)]
#[command(
    after_help = "Example:\n  p2psim topology runs/erdos-renyi-1 -o final.svg\n  \
                  p2psim topology runs/erdos-renyi-1 --format dot | dot -Tsvg > final.svg\n  \
                  p2psim topology scenarios/erdos-renyi.yaml --stats"
)]
pub(super) struct TopologyArgs {
    /// A scenario file, or the folder of a run
    #[arg(value_name = "SCENARIO|RUN_FOLDER")]
    source: PathBuf,
    /// What to write [default: by the ending of the output file, else csv]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Write to this file instead of the terminal, which `-` stands for
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Show figures instead: degrees, components, clustering, paths; JSON with --format json
    #[arg(long)]
    stats: bool,
    /// Where a drawing has its peers
    #[arg(long, value_enum, default_value_t = Layout::Force)]
    layout: Layout,
    /// What the colours of a drawing say
    #[arg(long, visible_alias = "color", value_enum, default_value_t = Colours::Type)]
    colour: Colours,
    /// Fix where a drawing's layout by forces begins
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1,
        allow_negative_numbers = true
    )]
    layout_seed: u64,
    #[command(flatten)]
    overrides: Overrides,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One link a row: source, target, bandwidth_bit_per_s, since_ms
    Csv,
    /// Graphviz
    Dot,
    /// GraphML: Gephi, Cytoscape, networkx, igraph
    Graphml,
    /// GML: networkx, igraph, Gephi
    Gml,
    /// Node-link JSON: networkx.node_link_graph, D3
    Json,
    /// GEXF: Gephi
    Gexf,
    /// Matrix Market: scipy.io.mmread
    Mtx,
    /// A drawing, as vectors
    Svg,
    /// A drawing, as pixels
    Png,
}

#[derive(Clone, Copy, ValueEnum)]
enum Layout {
    /// By forces: linked peers attract each other
    Force,
    /// On a circle
    Circular,
    /// Peers of one location together
    Location,
}

#[derive(Clone, Copy, ValueEnum)]
enum Colours {
    /// The types of peers
    Type,
    /// Their locations
    Location,
}

pub(super) fn topology(args: &TopologyArgs, registry: Registry) -> Result<(), Failure> {
    let format = format(args)?;
    let drawn = matches!(format, Some(Format::Svg | Format::Png));
    let exported = exported(args, drawn, registry)?;
    let text = if args.stats {
        let figures = Figures::of(&exported.graph(), Effort::Full);
        Some(match format {
            Some(_) => format!("{:#}\n", figures.json()).into_bytes(),
            None => figures.show().into_bytes(),
        })
    } else {
        picture(args, format, &exported)?
    };
    let mut out = output(args.output.as_ref())?;
    match text {
        Some(bytes) => out.write_all(&bytes)?,
        None => exported.write(graph_format(format), &mut out)?,
    }
    out.flush()?;
    Ok(())
}

/// The format asked for, or that of the output file's ending.
fn format(args: &TopologyArgs) -> Result<Option<Format>, Failure> {
    if args.stats {
        return match args.format {
            None | Some(Format::Json) => Ok(args.format),
            Some(_) => Err(Failure::Usage(
                "--stats shows a table\n  leave --format out, or make it json".into(),
            )),
        };
    }
    let file = args.output.as_deref().filter(|path| !is_stdout(path));
    let format = match (args.format, file) {
        (Some(format), _) => Some(format),
        (None, None) => None,
        (None, Some(path)) => Some(by_ending(path)?),
    };
    let to_terminal = file.is_none() && std::io::stdout().is_terminal();
    if format == Some(Format::Png) && to_terminal {
        return Err(Failure::Usage(
            "a PNG is nothing for a terminal\n  write it to a file with -o picture.png".into(),
        ));
    }
    Ok(format)
}

fn by_ending(path: &Path) -> Result<Format, Failure> {
    let ending = path.extension().unwrap_or_default().to_string_lossy();
    let ending = ending.to_lowercase();
    let found = match ending.as_str() {
        "gv" => Some(Format::Dot),
        _ => Format::from_str(&ending, true).ok(),
    };
    found.ok_or_else(|| {
        let endings: Vec<String> = Format::value_variants()
            .iter()
            .filter_map(|format| Some(format.to_possible_value()?.get_name().to_owned()))
            .collect();
        Failure::Usage(format!(
            "the ending of {} names no format\n  use one of .{}, or say it with --format",
            path.display(),
            endings.join(", .")
        ))
    })
}

fn exported(args: &TopologyArgs, drawn: bool, registry: Registry) -> Result<Exported, Failure> {
    let overrides = args.overrides.all()?;
    if !args.source.is_dir() {
        let scenario = load(&args.source, overrides, registry)?;
        let plan = &scenario.plan;
        let mut exported = Exported::initial(&Setup::new(plan)?, &plan.locations);
        if let Some(file) = plan.file_graph() {
            exported.keep(file);
        }
        return Ok(exported);
    }
    if !overrides.is_empty() {
        return Err(Failure::Usage(
            "--set and --seed change a scenario; the folder of a run is as it is\n  \
             run the scenario again with them"
                .into(),
        ));
    }
    let folder = &args.source;
    let mut exported = Exported::read(folder).map_err(|error| Failure::Usage(error.to_string()))?;
    // What a graph file says of peers besides is in that file alone, and the order of types in the
    // scenario.
    let has_inputs = folder.join("inputs").is_dir();
    if has_inputs || drawn {
        let options = LoadOptions {
            registry,
            ..LoadOptions::default()
        };
        match scenario::load(&folder.join("scenario.yaml"), &options) {
            Ok(scenario) => {
                exported.order_as(&scenario.plan);
                if let Some(file) = scenario.plan.file_graph() {
                    exported.keep(file);
                }
            }
            // A drawing does without.
            Err(_) if !has_inputs => {}
            Err(error) => complain(&format!(
                "warning: what the run's inputs say of its peers is left out, since its scenario \
                 cannot be read\n{}",
                error.render(super::colour())
            )),
        }
    }
    Ok(exported)
}

/// The drawing, if one is asked for.
fn picture(
    args: &TopologyArgs,
    format: Option<Format>,
    exported: &Exported,
) -> Result<Option<Vec<u8>>, Failure> {
    let format = match format {
        Some(Format::Svg) => PictureFormat::Svg,
        Some(Format::Png) => PictureFormat::Png,
        _ => return Ok(None),
    };
    let drawing = Drawing {
        arrangement: match args.layout {
            Layout::Force => Arrangement::Force,
            Layout::Circular => Arrangement::Circular,
            Layout::Location => Arrangement::Location,
        },
        colour: match args.colour {
            Colours::Type => Colour::Type,
            Colours::Location => Colour::Location,
        },
        seed: args.layout_seed,
    };
    Ok(Some(exported.draw(&drawing, format)?))
}

fn graph_format(format: Option<Format>) -> GraphFormat {
    match format {
        Some(Format::Dot) => GraphFormat::Dot,
        Some(Format::Graphml) => GraphFormat::GraphMl,
        Some(Format::Gml) => GraphFormat::Gml,
        Some(Format::Json) => GraphFormat::Json,
        Some(Format::Gexf) => GraphFormat::Gexf,
        Some(Format::Mtx) => GraphFormat::MatrixMarket,
        // Drawings are made elsewhere.
        Some(Format::Csv | Format::Svg | Format::Png) | None => GraphFormat::Csv,
    }
}
