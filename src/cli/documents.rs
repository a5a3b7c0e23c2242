//! `p2psim schema`, `completions` and `man`: what editors, shells and `man` want to know.

use std::io;
use std::path::PathBuf;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{CommandLine, Failure, output, print};
use crate::scenario;
use crate::services::{Registry, scripts};

/// The program's name, in pages and completions.
const PROGRAM: &str = "p2psim";

/// Write the JSON Schema of scenarios, or the types of scripts, for editors and validators
#[derive(Args)]
#[command(
    after_help = "Example:\n  p2psim schema -o scenario.schema.json\nand as the first line of a \
                  scenario, for editors:\n  # yaml-language-server: $schema=scenario.schema.json"
)]
pub(super) struct SchemaArgs {
    /// Write what scripts see, as Luau definitions for luau-lsp (p2psim.d.luau), instead
    #[arg(long)]
    luau: bool,
    /// Write to this file instead of the terminal, which `-` stands for
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn schema(args: &SchemaArgs, registry: &Registry) -> Result<(), Failure> {
    let mut out = output(args.output.as_ref())?;
    if args.luau {
        return writeln_flushed(&mut out, scripts::DEFINITIONS.trim_end());
    }
    let schema = scenario::schema(registry);
    writeln_flushed(&mut out, &format!("{schema:#}"))
}

fn writeln_flushed(out: &mut dyn io::Write, text: &str) -> Result<(), Failure> {
    writeln!(out, "{text}")?;
    out.flush()?;
    Ok(())
}

/// Write the completions of a shell
#[derive(Args)]
#[command(after_help = "Example:\n  \
        p2psim completions bash > ~/.local/share/bash-completion/completions/p2psim\n  \
        p2psim completions zsh > ~/.zfunc/_p2psim          (with ~/.zfunc in fpath)\n  \
        p2psim completions fish > ~/.config/fish/completions/p2psim.fish")]
pub(super) struct CompletionsArgs {
    /// Whose
    shell: Shell,
}

pub(super) fn completions(args: &CompletionsArgs) -> Result<(), Failure> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut CommandLine::command(), PROGRAM, &mut text);
    print(&String::from_utf8_lossy(&text))
}

/// Write the manual: a page, or all of them into a folder
#[derive(Args)]
#[command(
    after_help = "Example:\n  p2psim man run > p2psim-run.1 && man ./p2psim-run.1\n  \
                  p2psim man -o ~/.local/share/man/man1"
)]
pub(super) struct ManArgs {
    /// The command whose page to write; without, that of p2psim
    #[arg(conflicts_with = "output")]
    command: Option<String>,
    /// Write the pages of all commands into this folder
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
}

pub(super) fn man(args: &ManArgs) -> Result<(), Failure> {
    let mut program = CommandLine::command().disable_help_subcommand(true);
    program.build();
    if let Some(folder) = &args.output {
        let failed = |error: io::Error| {
            Failure::Failed(format!("cannot write to {}: {error}", folder.display()))
        };
        std::fs::create_dir_all(folder).map_err(failed)?;
        clap_mangen::generate_to(program, folder).map_err(failed)?;
        return print(&format!(
            "wrote {PROGRAM}.1 and a page a command to {}\n",
            folder.display()
        ));
    }
    let page = match &args.command {
        None => program,
        Some(name) => match program.find_subcommand(name) {
            Some(command) => command.clone(),
            None => {
                let names: Vec<&str> = program
                    .get_subcommands()
                    .map(clap::Command::get_name)
                    .collect();
                return Err(Failure::Usage(format!(
                    "there is no command `{name}`\n  one of {}",
                    names.join(", ")
                )));
            }
        },
    };
    let mut text = Vec::new();
    clap_mangen::Man::new(page).render(&mut text)?;
    print(&String::from_utf8_lossy(&text))
}
