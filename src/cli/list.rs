//! `p2psim list`: what a scenario can name.

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::{Failure, TextFormat, folded, machine, print};
use crate::distribution::{Distribution, LawSpec, MODIFIERS, law_named, laws};
use crate::expression::nearest;
use crate::random::{Purpose, Stream};
use crate::report::histogram;
use crate::services::scripts;
use crate::services::{ParameterKind, Registry, ServiceSpec};
use crate::topology::generators::{self, Family, GeneratorSpec};
use crate::units::{Dimension, show_figure};

/// How many draws the histogram of a page has.
const PAGE_DRAWS: usize = 10_000;
const PAGE_COLUMNS_MAX: usize = 60;
const PAGE_ROWS: usize = 8;
/// Where the line of a distribution is full: its mean then stands alone.
const LINE_MAX: usize = 96;

/// List what a scenario can name, with parameters, units and defaults
#[derive(Args)]
#[command(
    after_help = "Example:\n  p2psim list services\n  p2psim list services my.luau\n  p2psim list distributions gamma"
)]
pub(super) struct ListArgs {
    /// What to list
    #[arg(value_enum)]
    what: What,
    /// Only this one; of a distribution, a page with a histogram; of services, also a script's file
    name: Option<String>,
    /// How to write the list
    #[arg(long, value_enum, default_value_t = TextFormat::Table)]
    format: TextFormat,
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
    let name = args.name.as_deref();
    let with_script = match (args.what, name) {
        (What::Services, Some(name)) if scripts::is_script(name) => {
            Some(registry.clone().with(script(name)?))
        }
        _ => None,
    };
    let registry = with_script.as_ref().unwrap_or(registry);
    if args.format == TextFormat::Json {
        let items = match args.what {
            What::Services => services_json(registry, name)?,
            What::Distributions => distributions_json(name)?,
            What::Generators => generators_json(name)?,
        };
        return print(&format!("{:#}\n", json!(items)));
    }
    print(&match args.what {
        What::Services => services(registry, name)?,
        What::Distributions => match name {
            None => distributions()?,
            Some(name) => distribution(name)?,
        },
        What::Generators => graph_generators(name)?,
    })
}

/// What a script declares.
fn script(path: &str) -> Result<ServiceSpec, Failure> {
    let bytes = std::fs::read(path)
        .map_err(|error| Failure::Usage(format!("cannot read {path}: {error}")))?;
    scripts::load(path, &bytes).map_err(|error| {
        let place = error
            .line
            .map_or(String::new(), |line| format!(" (line {line})"));
        let cure = match error.expected.as_str() {
            "" => String::new(),
            cure => format!("\n  {cure}"),
        };
        Failure::Usage(format!("{}{place}{cure}", error.message))
    })
}

/// What to say where nothing of that kind has this name.
fn unknown(kind: &str, name: &str, names: &[&str]) -> Failure {
    let cure = nearest(name, names.iter().copied())
        .unwrap_or_else(|| format!("`p2psim list {kind}s` shows all"));
    Failure::Usage(format!("there is no {kind} `{name}`\n  {cure}"))
}

/// Those of `items` that have the name asked for, if one is.
fn only_named<T>(
    kind: &str,
    items: impl Iterator<Item = T>,
    name_of: impl Fn(&T) -> &str,
    name: Option<&str>,
) -> Result<Vec<T>, Failure> {
    let Some(name) = name else {
        return Ok(items.collect());
    };
    let (found, others): (Vec<T>, Vec<T>) = items.partition(|item| name_of(item) == name);
    if found.is_empty() {
        let names: Vec<&str> = others.iter().map(&name_of).collect();
        return Err(unknown(kind, name, &names));
    }
    Ok(found)
}

fn services_json(registry: &Registry, only: Option<&str>) -> Result<Vec<Value>, Failure> {
    let specs = only_named("service", registry.iter(), |spec| spec.name, only)?;
    let service = |spec: &ServiceSpec| {
        let parameters = spec.parameters.iter().map(|parameter| {
            json!({
                "name": parameter.name,
                "kind": kind(parameter.kind),
                "default": (!parameter.default.is_empty()).then_some(parameter.default),
                "about": parameter.about,
            })
        });
        let messages = spec.messages.iter().map(|message| {
            json!({
                "name": message.name,
                "size": message.size,
                "handled": message.handled,
                "gossip": message.gossip,
            })
        });
        json!({
            "name": spec.name,
            "about": spec.about,
            "adversary": spec.adversary,
            "parameters": parameters.collect::<Vec<Value>>(),
            "messages": messages.collect::<Vec<Value>>(),
        })
    };
    Ok(specs.into_iter().map(service).collect())
}

/// Laws with figures at an example of their shapes, then what is made of them. What is not
/// finite is null.
fn distributions_json(only: Option<&str>) -> Result<Vec<Value>, Failure> {
    let figures = |name: &str, call: &str, about: &str, example: &str| {
        let law = example_law(example)?;
        Ok::<Value, Failure>(json!({
            "name": name,
            "call": call,
            "about": about,
            "example": example,
            "from": law.lower_bound(),
            "to": law.upper_bound(),
            "mean": law.mean(),
            "sd": law.std_dev(),
        }))
    };
    let mut items = Vec::new();
    for spec in laws() {
        let call = format!("{}({})", spec.name, spec.parameters().join(", "));
        let mut item = figures(spec.name, &call, spec.about, &spec.example_call())?;
        let shapes = spec
            .shapes
            .iter()
            .map(|(name, range)| json!({"name": name, "range": range.brief()}));
        item["shapes"] = shapes.collect();
        item["support"] = json!(spec.support);
        item["discrete"] = json!(spec.discrete);
        items.push(item);
    }
    for spec in &MODIFIERS {
        items.push(figures(spec.name, spec.call, spec.about, spec.example)?);
    }
    // A former name finds what it is called now.
    let only = only.map(|name| law_named(name).map_or(name, |spec| spec.name));
    only_named(
        "distribution",
        items.into_iter(),
        |item| item["name"].as_str().unwrap_or_default(),
        only,
    )
}

fn generators_json(only: Option<&str>) -> Result<Vec<Value>, Failure> {
    let only = only.map(|name| generators::find(name).map_or(name, |spec| spec.name));
    let specs = generators::specs().iter();
    let specs = only_named("generator", specs, |spec| spec.name, only)?;
    let generator = |spec: &GeneratorSpec| {
        let parameters = spec.parameters.iter().map(|parameter| {
            json!({
                "name": parameter.name,
                "kind": parameter.kind.to_string(),
                "default": parameter.default_shown(),
            })
        });
        json!({
            "name": spec.name,
            "call": spec.call(),
            "aliases": spec.aliases,
            "family": spec.family.title(),
            "random": spec.is_random,
            "about": spec.about,
            "parameters": parameters.collect::<Vec<Value>>(),
        })
    };
    Ok(specs.into_iter().map(generator).collect())
}

fn services(registry: &Registry, only: Option<&str>) -> Result<String, Failure> {
    let mut text = String::new();
    for spec in registry.iter() {
        if only.is_some_and(|name| name != spec.name) {
            continue;
        }
        let adversary = if spec.adversary {
            " (an adversary)"
        } else {
            ""
        };
        text.push_str(&format!("{}{adversary}\n", spec.name));
        if !spec.about.is_empty() {
            text.push_str(&wrapped(spec.about, 2));
        }
        for parameter in spec.parameters {
            let default = match parameter.default {
                "" => "required".to_owned(),
                default => format!("{default} unless given"),
            };
            let kind = kind(parameter.kind);
            text.push_str(&wrapped(
                &format!("{}: {kind}; {default}", parameter.name),
                4,
            ));
            text.push_str(&wrapped(parameter.about, 6));
        }
        for message in spec.messages {
            let does = if message.handled {
                "sends and handles"
            } else {
                "sends"
            };
            text.push_str(&wrapped(
                &format!("{does} {} ({})", message.name, message.size),
                4,
            ));
        }
        text.push('\n');
    }
    match only {
        Some(name) if text.is_empty() => {
            let names: Vec<&str> = registry.iter().map(|spec| spec.name).collect();
            Err(unknown("service", name, &names))
        }
        _ => Ok(text),
    }
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
        ParameterKind::Number {
            min,
            max,
            dimension,
        } => {
            let shown = |value: f64| {
                let unit = dimension.unit_for(value);
                format!("{} {}", value / unit.size, unit.name)
                    .trim_end()
                    .to_owned()
            };
            format!(
                "{} from {} to {}",
                dimension.described(),
                shown(min),
                shown(max)
            )
        }
        ParameterKind::Positive { max } => format!("a number above 0, at most {max}"),
        ParameterKind::Word(words) => words.join(" or "),
        ParameterKind::Durations => "a list of times".into(),
        ParameterKind::Types => "a list of peer types".into(),
        ParameterKind::Peers => "a list of peers' ids".into(),
    }
}

/// A line for each distribution.
fn distributions() -> Result<String, Failure> {
    let mut text = wrapped(
        "Distributions are those of scipy.stats, written as there: name(shapes..., loc, scale), with \
         keywords if you like; loc is 0 and scale 1 unless given (laws of whole numbers have no \
         scale). loc and scale take units, shapes do not. The mean is that at the shapes behind it. \
         `p2psim list distributions NAME` says what NAME is, and draws it.",
        0,
    );
    text.push('\n');
    let header = ["distribution", "ranges", "support", "mean"];
    text.push_str(&law_line(header.map(String::from)));
    text.push('\n');
    for spec in laws() {
        let shapes: Vec<&str> = spec.shapes.iter().map(|&(name, _)| name).collect();
        let call = format!("{}({})", spec.name, shapes.join(", "));
        let example = spec.example_call();
        let mean = show_figure(example_law(&example)?.mean());
        let place = &example[spec.name.len()..];
        let cells = [call, brief_ranges(spec), spec.support.into(), mean];
        let mut line = law_line(cells);
        if !shapes.is_empty()
            && line.len() + " at ".len() + place.len() <= machine::columns().min(LINE_MAX)
        {
            line = format!("{line} at {place}");
        }
        text.push_str(&line);
        text.push('\n');
    }
    text.push('\n');
    text.push_str(&wrapped(
        "Others are made of them, or of one another; a constant (12 ms) is a distribution too.",
        0,
    ));
    text.push('\n');
    for spec in &MODIFIERS {
        text.push_str(&format!("{}\n{}", spec.call, wrapped(spec.about, 4)));
    }
    Ok(text)
}

/// The four columns of a law; a long one takes its room from the next. Where they do not fit
/// the terminal, the first has a line of its own.
fn law_line(cells: [String; 4]) -> String {
    let columns = machine::columns();
    let line = columned(&cells);
    if line.chars().count() <= columns {
        return line;
    }
    let [call, rest @ ..] = cells;
    let rest = columned(&[vec![String::new()], rest.to_vec()].concat());
    format!("{call}\n{rest}")
}

fn columned(cells: &[String]) -> String {
    let mut line = String::new();
    let ends = match machine::columns() {
        LINE_MAX.. => [24, 46, 70, 0],
        _ => [20, 36, 54, 0],
    };
    for (cell, end) in cells.iter().zip(ends) {
        line.push_str(cell);
        let room = usize::saturating_sub(end, line.chars().count());
        line.push_str(&" ".repeat(room.max(2)));
    }
    line.trim_end().to_owned()
}

/// The shapes' ranges, those alike together: `a, b > 0; p in [0, 1]`.
fn brief_ranges(spec: &LawSpec) -> String {
    let alike = spec.shapes.chunk_by(|(_, a), (_, b)| a == b);
    let groups: Vec<String> = alike
        .map(|shapes| {
            let names: Vec<&str> = shapes.iter().map(|&(name, _)| name).collect();
            format!("{} {}", names.join(", "), shapes[0].1.brief())
        })
        .collect();
    groups.join("; ")
}

fn example_law(call: &str) -> Result<Distribution, Failure> {
    Distribution::parse(call, Dimension::Plain)
        .map_err(|errors| Failure::Usage(format!("{call}: {}", errors[0].message)))
}

/// A page for one distribution.
fn distribution(name: &str) -> Result<String, Failure> {
    if let Some(spec) = law_named(name) {
        return law_page(spec);
    }
    if let Some(spec) = MODIFIERS.iter().find(|spec| spec.name == name) {
        let mut text = format!("{}\n  {}\n\n", spec.call, spec.about);
        text.push_str(&example(spec.example)?);
        return Ok(text);
    }
    let laws = laws().iter().map(|spec| spec.name);
    let names: Vec<&str> = laws.chain(MODIFIERS.iter().map(|spec| spec.name)).collect();
    Err(unknown("distribution", name, &names))
}

fn law_page(spec: &LawSpec) -> Result<String, Failure> {
    let mut text = format!("{}({})\n", spec.name, spec.parameters().join(", "));
    text.push_str(&format!("  {}\n\n", spec.about));
    let mut line = |name: &str, what: &str| text.push_str(&format!("{name:10} {what}\n"));
    for (shape, range) in spec.shapes {
        let list = if spec.takes_list() {
            "a list; each "
        } else {
            ""
        };
        line(shape, &format!("{list}{}", range.described()));
    }
    line("loc", "any number, with a unit if you like; 0 unless given");
    if !spec.discrete {
        line("scale", "above 0, with a unit if you like; 1 unless given");
    }
    let moved = if spec.discrete {
        "plus loc"
    } else {
        "times scale, plus loc"
    };
    line("support", &format!("{}; then {moved}", spec.support));
    line("as in", &format!("scipy.stats.{}", spec.name));
    text.push('\n');
    text.push_str(&example(&spec.example_call())?);
    Ok(text)
}

/// Figures and a small histogram.
fn example(call: &str) -> Result<String, Failure> {
    let law = example_law(call)?;
    let mut text = format!(
        "{call}: mean {}, sd {}, from {} to {}\n\n",
        show_figure(law.mean()),
        show_figure(law.std_dev()),
        show_figure(law.lower_bound()),
        show_figure(law.upper_bound())
    );
    let mut stream = Stream::global(1, Purpose::Sample);
    let draws: Vec<f64> = (0..PAGE_DRAWS).map(|_| law.sample(&mut stream)).collect();
    let columns = machine::columns().min(PAGE_COLUMNS_MAX);
    for line in histogram::panel(&draws, columns, PAGE_ROWS) {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    Ok(text)
}

fn graph_generators(name: Option<&str>) -> Result<String, Failure> {
    if let Some(name) = name {
        let all = generators::specs().iter();
        let names: Vec<&str> = all.flat_map(|s| [&[s.name], s.aliases].concat()).collect();
        return match generators::find(name) {
            Some(spec) => Ok(graph_generator(spec)),
            None => Err(unknown("generator", name, &names)),
        };
    }
    let mut text = wrapped(
        "A graph is written as in networkx: name(arguments), with keywords if you like; the ending \
         _graph may be left out. Peers are numbered from 0. The scenario's seed decides.",
        0,
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
    let columns = machine::columns().min(LINE_MAX);
    let mut text = folded(&format!("{}\n", spec.call()), columns);
    text.push_str(&wrapped(spec.about, 4));
    if !spec.aliases.is_empty() {
        text.push_str(&wrapped(&format!("also {}", spec.aliases.join(", ")), 4));
    }
    for parameter in spec.parameters {
        let default = match parameter.default_shown() {
            Some(default) => format!("; {default} unless given"),
            None => String::new(),
        };
        text.push_str(&wrapped(
            &format!("{}: {}{default}", parameter.name, parameter.kind),
            6,
        ));
    }
    text
}

/// Text in lines of at most 96 characters, or as many as the terminal has columns, each with a
/// margin.
fn wrapped(text: &str, margin: usize) -> String {
    let columns = machine::columns().min(LINE_MAX);
    let mut lines = String::new();
    let mut width = 0;
    for word in text.split(' ') {
        if width == 0 || width + 1 + word.len() > columns {
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
