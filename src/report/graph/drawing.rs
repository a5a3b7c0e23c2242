//! Drawings of a topology, for people: SVG or PNG.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use kuva::backend::svg::SvgBackend;
use kuva::render::color::Color;
use kuva::render::render::{PathData, Primitive, Scene, TextAnchor};

use super::Exported;
use super::layout::{Arrangement, Point, places};
use crate::report::sample::PictureFormat;
use crate::topology::Graph;
use crate::units::show_count;

/// What the colours of peers mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colour {
    /// Their types.
    #[default]
    Type,
    /// Their locations.
    Location,
}

/// How a topology is drawn.
#[derive(Clone, Copy, Debug, Default)]
pub struct Drawing {
    /// Where peers stand.
    pub arrangement: Arrangement,
    /// What their colours mean.
    pub colour: Colour,
    /// Fixes where a layout by forces begins.
    pub seed: u64,
}

/// The side of the square that peers stand in, and what is around it, in pixels of an SVG.
const SIDE: f64 = 1000.0;
const MARGIN: f64 = 40.0;
const LEGEND_WIDTH: f64 = 260.0;
/// Pixels of a PNG for one of an SVG.
const PNG_SCALE: f32 = 1.6;
/// Names of peers are written in up to so many.
const NAMED_MAX: usize = 60;
/// More groups share a colour, named "other".
const GROUPS_MAX: usize = 16;
/// Tableau's ten colours and six darker ones; grey is for the others.
const COLOURS: [(u8, u8, u8); GROUPS_MAX] = [
    (78, 121, 167),
    (242, 142, 43),
    (225, 87, 89),
    (118, 183, 178),
    (89, 161, 79),
    (237, 201, 72),
    (176, 122, 161),
    (255, 157, 167),
    (156, 117, 95),
    (31, 64, 104),
    (140, 70, 0),
    (110, 20, 40),
    (20, 95, 90),
    (35, 85, 30),
    (120, 95, 0),
    (85, 40, 95),
];
const GREY: (u8, u8, u8) = (160, 160, 160);
const INK: (u8, u8, u8) = (40, 40, 40);

fn rgb((red, green, blue): (u8, u8, u8)) -> Color {
    Color::Rgb(red, green, blue)
}

/// Peers that have something in common.
pub(in crate::report) struct Group {
    pub name: String,
    pub peers: u64,
    colour: (u8, u8, u8),
}

/// How large things are drawn, so that ten peers and ten thousand can be looked at.
struct Sizes {
    /// The radius of a peer with as many links as the mean.
    radius: f64,
    degree_mean: f64,
    link_width: f64,
    link_opacity: f64,
}

impl Sizes {
    fn of(graph: &Graph) -> Self {
        let peers = (graph.peers() as f64).max(1.0);
        let links = (graph.links() as f64).max(1.0);
        Sizes {
            radius: (5.0 * libm::pow(1000.0 / peers, 0.42)).clamp(0.8, 15.0),
            degree_mean: 2.0 * graph.links() as f64 / peers,
            link_width: (1.6 * libm::pow(100.0 / links, 0.22)).clamp(0.3, 1.8),
            link_opacity: (0.55 * libm::pow(200.0 / links, 0.42)).clamp(0.03, 0.6),
        }
    }

    /// The area of a peer grows with its links.
    fn radius(&self, degree: usize) -> f64 {
        let relative = (degree as f64 + 1.0) / (self.degree_mean + 1.0);
        self.radius * relative.sqrt().clamp(0.6, 5.0)
    }
}

impl Exported {
    /// Draws the topology: peers coloured by type or location, their size by their links,
    /// hollow where they are offline.
    ///
    /// # Errors
    /// When the picture cannot be made.
    pub fn draw(&self, drawing: &Drawing, format: PictureFormat) -> io::Result<Vec<u8>> {
        let scene = self.scene(drawing);
        match format {
            PictureFormat::Svg => Ok(SvgBackend::default().render_scene(&scene).into_bytes()),
            PictureFormat::Png => kuva::PngBackend::new()
                .with_scale(PNG_SCALE)
                .render_scene(&scene)
                .map_err(io::Error::other),
        }
    }

    pub(in crate::report) fn scene(&self, drawing: &Drawing) -> Scene {
        let graph = self.graph();
        let sizes = Sizes::of(&graph);
        let (groups, group_of) = self.groups(drawing.colour);
        let (_, location_of) = self.groups(Colour::Location);
        let places = places(&graph, &location_of, drawing.arrangement, drawing.seed);
        let places = fit(places);
        let width = SIDE + 2.0 * MARGIN + LEGEND_WIDTH;
        let mut scene = Scene::new(width, SIDE + 2.0 * MARGIN);
        scene
            .elements
            .reserve(graph.peers() + graph.links() as usize + 64);
        for (a, b) in graph.iter_links() {
            scene.add(link(places[a as usize], places[b as usize], &sizes));
        }
        // The largest come last and are seen.
        let mut order: Vec<usize> = (0..graph.peers()).collect();
        order.sort_by_key(|&peer| graph.neighbours(peer).len());
        for peer in order {
            let colour = groups[group_of[peer]].colour;
            let radius = sizes.radius(graph.neighbours(peer).len());
            scene.add(dot(places[peer], radius, colour, self.peers[peer].online));
            if graph.peers() <= NAMED_MAX {
                scene.add(self.name(peer, places[peer], radius));
            }
        }
        self.legend(&mut scene, drawing.colour, &groups, &graph, &sizes);
        scene
    }

    /// The groups in the scenario's order, and which one each peer is in. A colour is that of the
    /// place in the scenario's order, so that a type keeps it whoever is there; small groups
    /// share the last where there are too many.
    pub(in crate::report) fn groups(&self, by: Colour) -> (Vec<Group>, Vec<usize>) {
        let name_of = |peer: usize| match by {
            Colour::Type => self.peers[peer].type_name.as_str(),
            Colour::Location => self.peers[peer].location.as_str(),
        };
        let order = match by {
            Colour::Type => &self.type_order,
            Colour::Location => &self.location_order,
        };
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for peer in 0..self.peers.len() {
            *counts.entry(name_of(peer)).or_default() += 1;
        }
        let mut names: Vec<&str> = order.iter().map(String::as_str).collect();
        let known: BTreeSet<&str> = names.iter().copied().collect();
        names.extend(counts.keys().filter(|name| !known.contains(*name)));
        if names.len() > GROUPS_MAX {
            names.retain(|name| counts.contains_key(name));
        }
        let size = |name: &str| counts.get(name).copied().unwrap_or_default();
        let mut others = 0;
        if names.len() > GROUPS_MAX {
            let mut by_size = names.clone();
            by_size.sort_by_key(|name| std::cmp::Reverse(size(name)));
            let kept: BTreeSet<&str> = by_size[..GROUPS_MAX].iter().copied().collect();
            others = names.len() - GROUPS_MAX;
            names.retain(|name| kept.contains(name));
        }
        let mut groups = Vec::new();
        let mut place_of = BTreeMap::new();
        for (&name, colour) in names.iter().zip(COLOURS) {
            if size(name) > 0 {
                place_of.insert(name, groups.len());
                groups.push(Group {
                    name: name.to_owned(),
                    peers: size(name),
                    colour,
                });
            }
        }
        let last = groups.len();
        if others > 0 {
            let kept: u64 = groups.iter().map(|group| group.peers).sum();
            groups.push(Group {
                name: format!("{others} others"),
                peers: self.peers.len() as u64 - kept,
                colour: GREY,
            });
        }
        let group_of = (0..self.peers.len()).map(|peer| {
            let place = place_of.get(name_of(peer));
            place.copied().unwrap_or(last)
        });
        let group_of = group_of.collect();
        (groups, group_of)
    }

    fn name(&self, peer: usize, (x, y): Point, radius: f64) -> Primitive {
        let label = self
            .kept_of_peers
            .iter()
            .find(|column| column.name == "label");
        let label = label.and_then(|column| column.get(&(peer as u32)));
        let name = label.map_or_else(|| self.peers[peer].id.to_string(), ToString::to_string);
        let inside = name.chars().count() as f64 * 6.5 < 2.0 * radius;
        Primitive::Text {
            x,
            y: if inside { y + 4.0 } else { y + radius + 12.0 },
            content: plain(&name),
            size: 11,
            anchor: TextAnchor::Middle,
            rotate: None,
            bold: false,
            color: Some(match inside && self.peers[peer].online {
                true => Color::Rgb(255, 255, 255),
                false => rgb(INK),
            }),
        }
    }

    fn legend(
        &self,
        scene: &mut Scene,
        by: Colour,
        groups: &[Group],
        graph: &Graph,
        sizes: &Sizes,
    ) {
        let left = SIDE + 2.0 * MARGIN;
        let mut y = MARGIN + 10.0;
        let write = |scene: &mut Scene, y: f64, x: f64, content: &str, bold: bool| {
            scene.add(Primitive::Text {
                x,
                y,
                content: plain(content),
                size: 13,
                anchor: TextAnchor::Start,
                rotate: None,
                bold,
                color: Some(rgb(INK)),
            });
        };
        let counted = format!(
            "{} peers, {} links",
            show_count(graph.peers() as u64),
            show_count(graph.links())
        );
        write(scene, y, left, &counted, true);
        y += 30.0;
        let title = match by {
            Colour::Type => "type",
            Colour::Location => "location",
        };
        write(scene, y, left, title, true);
        for group in groups {
            y += 22.0;
            scene.add(dot((left + 8.0, y - 4.0), 7.0, group.colour, true));
            let mut name: String = group.name.chars().take(24).collect();
            if name.len() < group.name.len() {
                name.push('…');
            }
            let shown = format!("{name} ({})", show_count(group.peers));
            write(scene, y, left + 24.0, &shown, false);
        }
        let offline = self.peers.iter().filter(|peer| !peer.online).count() as u64;
        if offline > 0 {
            y += 30.0;
            scene.add(dot((left + 8.0, y - 4.0), 6.0, GREY, false));
            let shown = format!("offline ({})", show_count(offline));
            write(scene, y, left + 24.0, &shown, false);
        }
        let degrees = (0..graph.peers()).map(|peer| graph.neighbours(peer).len());
        let (min, max) = degrees.fold((usize::MAX, 0), |(min, max), degree| {
            (min.min(degree), max.max(degree))
        });
        if max == 0 {
            return;
        }
        y += 38.0;
        write(scene, y, left, "links of a peer", true);
        let middle = (sizes.degree_mean.round() as usize).clamp(min, max);
        let mut shown = vec![min, middle, max];
        shown.dedup();
        y += 8.0;
        for degree in shown {
            let radius = sizes.radius(degree);
            y += radius.max(8.0) + 6.0;
            let place = (left + sizes.radius(max).max(8.0), y);
            scene.add(dot(place, radius, GREY, true));
            let text_left = left + 2.0 * sizes.radius(max).max(8.0) + 8.0;
            write(scene, y + 4.0, text_left, &show_count(degree as u64), false);
            y += radius.max(8.0);
        }
    }
}

/// A line as a thin filled shape: strokes cannot be translucent in all of kuva's pictures.
fn link((ax, ay): Point, (bx, by): Point, sizes: &Sizes) -> Primitive {
    let (dx, dy) = (bx - ax, by - ay);
    let length = (dx * dx + dy * dy).sqrt().max(1e-9);
    let half = sizes.link_width / 2.0;
    let (px, py) = (-dy / length * half, dx / length * half);
    Primitive::Path(Box::new(PathData {
        d: format!(
            "M{:.2} {:.2}L{:.2} {:.2}L{:.2} {:.2}L{:.2} {:.2}Z",
            ax + px,
            ay + py,
            ax - px,
            ay - py,
            bx - px,
            by - py,
            bx + px,
            by + py
        ),
        fill: Some(rgb(INK)),
        stroke: Color::None,
        stroke_width: 0.0,
        opacity: Some(sizes.link_opacity),
        stroke_dasharray: None,
    }))
}

fn dot((cx, cy): Point, r: f64, colour: (u8, u8, u8), filled: bool) -> Primitive {
    let outline = (r / 6.0).clamp(0.2, 1.5);
    Primitive::Circle {
        cx: (cx * 100.0).round() / 100.0,
        cy: (cy * 100.0).round() / 100.0,
        r: (r * 100.0).round() / 100.0,
        fill: if filled {
            rgb(colour)
        } else {
            Color::Rgb(255, 255, 255)
        },
        fill_opacity: None,
        stroke: Some(if filled {
            Color::Rgb(255, 255, 255)
        } else {
            rgb(colour)
        }),
        stroke_width: Some(if filled {
            outline
        } else {
            (r / 3.5).clamp(0.5, 3.0)
        }),
    }
}

/// Places within the square that peers stand in, as large as it allows.
fn fit(places: Vec<Point>) -> Vec<Point> {
    let (mut low, mut high) = ((f64::MAX, f64::MAX), (f64::MIN, f64::MIN));
    for &(x, y) in &places {
        low = (low.0.min(x), low.1.min(y));
        high = (high.0.max(x), high.1.max(y));
    }
    let span = (high.0 - low.0).max(high.1 - low.1).max(1e-9);
    let middle = ((low.0 + high.0) / 2.0, (low.1 + high.1) / 2.0);
    let scaled = |at: f64, middle: f64| MARGIN + SIDE / 2.0 + (at - middle) / span * SIDE;
    let place = |(x, y)| (scaled(x, middle.0), scaled(y, middle.1));
    places.into_iter().map(place).collect()
}

/// Text that is not taken for mathematics.
fn plain(text: &str) -> String {
    text.replace('$', "\\$")
}
