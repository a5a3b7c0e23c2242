//! The topology over simulated time: a CSV file a snapshot, and one GEXF file with all of them.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use smallvec::SmallVec;

use super::formats::{begin_gexf, xml_text};
use super::write_links;
use crate::peer::PeerIndex;
use crate::simulation::Simulation;
use crate::time::Time;

/// The folder of snapshots in that of a run.
const FOLDER: &str = "topology";
const DIGITS_MIN: usize = 7;

/// From one snapshot to another (both numbered from 1), something was there.
type Spells = SmallVec<[(u32, u32); 1]>;

/// Writes snapshots of a run's topology.
pub struct Snapshots {
    folder: PathBuf,
    every: Time,
    /// Of the number in a file's name.
    digits: usize,
    bootstrap: bool,
    taken: u32,
    links: BTreeMap<(PeerIndex, PeerIndex), Spells>,
    online: Vec<Spells>,
}

impl Snapshots {
    /// Snapshots every so often up to `horizon`, in the folder `topology` of a run's folder;
    /// with the connections of bootstrap peers if asked for.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn new(
        run_folder: &std::path::Path,
        every: Time,
        horizon: Time,
        bootstrap: bool,
    ) -> io::Result<Self> {
        let folder = run_folder.join(FOLDER);
        std::fs::create_dir(&folder)?;
        Ok(Snapshots {
            folder,
            every,
            digits: (horizon.as_ns() / 1_000_000)
                .to_string()
                .len()
                .max(DIGITS_MIN),
            bootstrap,
            taken: 0,
            links: BTreeMap::new(),
            online: Vec::new(),
        })
    }

    fn ms(&self, number: u32) -> u64 {
        u64::from(number) * (self.every.as_ns() / 1_000_000)
    }

    /// Writes the topology as it is now, the next multiple of the time between snapshots.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn take(&mut self, simulation: &Simulation) -> io::Result<()> {
        self.taken += 1;
        let number = self.taken;
        let digits = self.digits;
        let name = format!("{:0digits$}.csv", self.ms(number));
        let file = std::fs::File::create(self.folder.join(name))?;
        let mut out = BufWriter::new(file);
        write_links(&mut out, simulation, self.bootstrap, |links| {
            for link in links {
                saw(self.links.entry(link).or_default(), number);
            }
        })?;
        out.flush()?;
        self.online.resize(simulation.names().len(), Spells::new());
        for peer in simulation.peers().filter(|peer| peer.online) {
            saw(&mut self.online[peer.peer.as_usize()], number);
        }
        Ok(())
    }

    /// Writes `timeline.gexf`: peers and links with the spells in which snapshots saw them, in ms.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn finish(mut self, simulation: &Simulation) -> io::Result<()> {
        let (names, world) = (simulation.names(), simulation.world());
        self.online.resize(names.len(), Spells::new());
        let file = std::fs::File::create(self.folder.join("timeline.gexf"))?;
        let mut out = BufWriter::new(file);
        let end = self.ms(self.taken);
        begin_gexf(
            &mut out,
            &format!("mode=\"dynamic\" timeformat=\"double\" start=\"0\" end=\"{end}\""),
        )?;
        writeln!(out, "    <attributes class=\"node\" mode=\"static\">")?;
        for (number, name) in ["type", "location"].into_iter().enumerate() {
            writeln!(
                out,
                "      <attribute id=\"{number}\" title=\"{name}\" type=\"string\"/>"
            )?;
        }
        writeln!(out, "    </attributes>\n    <nodes>")?;
        for (place, spells) in self.online.iter().enumerate() {
            let peer = PeerIndex(place as u32);
            let hidden = world.is_bootstrap[names.types[place].as_usize()] && !self.bootstrap;
            if spells.is_empty() || hidden {
                continue;
            }
            let id = names.id(peer).0;
            let kind = xml_text(names.type_name(peer));
            let location = xml_text(&simulation.locations()[world.locations[place].as_usize()]);
            write!(
                out,
                "      <node id=\"{id}\" label=\"{id}\"><attvalues><attvalue for=\"0\" \
                 value=\"{kind}\"/><attvalue for=\"1\" value=\"{location}\"/></attvalues>"
            )?;
            self.write_spells(&mut out, spells)?;
            writeln!(out, "</node>")?;
        }
        writeln!(out, "    </nodes>\n    <edges>")?;
        for (number, (&(source, target), spells)) in self.links.iter().enumerate() {
            let (source, target) = (names.id(source).0, names.id(target).0);
            write!(
                out,
                "      <edge id=\"{number}\" source=\"{source}\" target=\"{target}\">"
            )?;
            self.write_spells(&mut out, spells)?;
            writeln!(out, "</edge>")?;
        }
        writeln!(out, "    </edges>\n  </graph>\n</gexf>")?;
        out.flush()
    }

    fn write_spells(&self, out: &mut impl Write, spells: &Spells) -> io::Result<()> {
        write!(out, "<spells>")?;
        for &(first, last) in spells {
            let (start, end) = (self.ms(first), self.ms(last));
            write!(out, "<spell start=\"{start}\" end=\"{end}\"/>")?;
        }
        write!(out, "</spells>")
    }
}

/// Notes that something was there at a snapshot.
fn saw(spells: &mut Spells, number: u32) {
    match spells.last_mut() {
        Some((_, last)) if *last + 1 == number => *last = number,
        _ => spells.push((number, number)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spells_end_where_something_was_not_seen() {
        let mut spells = Spells::new();
        for number in [2, 3, 5] {
            saw(&mut spells, number);
        }
        assert_eq!(spells[..], [(2, 3), (5, 5)]);
    }
}
