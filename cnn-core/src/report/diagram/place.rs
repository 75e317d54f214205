//! Where boxes, frames and edges of a diagram are. A frame is placed by itself and is then a thing among others, with a port for
//! each map that goes in or out: so frames overlap nothing.

use super::graph::{Graph, Item, Node};
use super::layered::{Edge, Thing, place};
use super::text::width;
use crate::network::grouped;

/// What is drawn, in pixels.
#[derive(Debug, Default)]
pub(super) struct Drawing {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) boxes: Vec<Shown>,
    pub(super) frames: Vec<Frame>,
    pub(super) edges: Vec<Line>,
}

/// A box.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) at: [f64; 2],
    pub(super) size: [f64; 2],
    pub(super) text: Text,
}

/// What a box says.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub(super) title: String,
    pub(super) lines: Vec<String>,
    pub(super) shape: String,
    pub(super) parameters: String,
    pub(super) kind: Kind,
    /// All of it, for who asks.
    pub(super) whole: String,
}

/// How a box looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Input,
    /// With weights.
    Trained,
    Plain,
    Join,
    /// A closed frame.
    Closed,
}

/// A frame.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) at: [f64; 2],
    pub(super) size: [f64; 2],
    pub(super) name: String,
    /// Where its name begins.
    pub(super) name_at: f64,
    pub(super) level: usize,
}

/// An edge: stretches that go straight down, and whether it ends in a box.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) stretches: Vec<[[f64; 2]; 2]>,
    pub(super) arrives: bool,
}

/// Sizes of text, of titles and of lines, and the room around it.
pub(super) const TITLE: f64 = 13.0;
pub(super) const SMALL: f64 = 11.5;
pub(super) const LINE: f64 = 16.0;
pub(super) const INSET: f64 = 10.0;
/// Around what is in a frame: beside it; below its name and at its foot, where the ports leave room.
const BESIDE: f64 = 14.0;
pub(super) const NAME: f64 = 20.0;

pub(super) fn drawing(graph: &Graph, items: &[Item]) -> Drawing {
    level(graph, items, "", 0).0
}

/// A map that goes through the border of a frame: the box that makes it, and where.
type Port = (usize, f64);

/// Items of a frame, or of all, with the ports above and below.
fn level(graph: &Graph, items: &[Item], frame: &str, depth: usize) -> (Drawing, Vec<Port>, Vec<Port>) {
    let members: Vec<Vec<usize>> = items.iter().map(Item::boxes).collect();
    let mut item_of = vec![None; graph.boxes.len()];
    members.iter().enumerate().for_each(|(item, boxes)| boxes.iter().for_each(|index| item_of[*index] = Some(item)));
    let inner: Vec<Inner> = items.iter().map(|item| Inner::of(graph, item, frame, depth)).collect();

    // Maps that come from outside, and those that are read there.
    let mut sources = Vec::new();
    let mut wanted = Vec::new();
    for (reader, node) in graph.boxes.iter().enumerate() {
        for input in &node.inputs {
            match (item_of[*input], item_of[reader]) {
                (None, Some(_)) if !sources.contains(input) => sources.push(*input),
                (Some(_), None) if !wanted.contains(input) => wanted.push(*input),
                _ => {}
            }
        }
    }
    let port = |first: bool| Thing { width: 6.0, height: 0.0, first, last: !first };
    let mut things: Vec<Thing> = sources.iter().map(|_| port(true)).collect();
    let first_item = things.len();
    let of_item = |inner: &Inner| Thing { width: inner.size()[0], height: inner.size()[1], first: false, last: false };
    things.extend(inner.iter().map(of_item));
    let first_wanted = things.len();
    things.extend(wanted.iter().map(|_| port(false)));

    let mut edges = Vec::new();
    let mut arrives = Vec::new();
    for (item, boxes) in members.iter().enumerate() {
        let mut inputs: Vec<usize> = boxes.iter().flat_map(|index| &graph.boxes[*index].inputs).copied().collect();
        inputs.retain(|input| !boxes.contains(input));
        inputs.sort_unstable();
        inputs.dedup();
        for input in inputs {
            let (from, out) = match item_of[input] {
                Some(from) => (first_item + from, inner[from].port_out(input)),
                None => (sources.iter().position(|source| *source == input).unwrap_or(0), 0.0),
            };
            edges.push(Edge { from, to: first_item + item, out, into: inner[item].port_in(input) });
            arrives.push(!matches!(inner[item], Inner::Frame { .. }));
        }
    }
    for (index, output) in wanted.iter().enumerate() {
        if let Some(from) = item_of[*output] {
            edges.push(Edge {
                from: first_item + from,
                to: first_wanted + index,
                out: inner[from].port_out(*output),
                into: 0.0,
            });
            arrives.push(false);
        }
    }
    let places = place(&things, &edges);

    let mut drawing = Drawing { width: places.width, height: places.height, ..Drawing::default() };
    for (inner, [middle, top]) in inner.into_iter().zip(&places.things[first_item..first_wanted]) {
        let [width, height] = inner.size();
        let at = [middle - width / 2.0, *top];
        match inner {
            Inner::Box(text, size) => drawing.boxes.push(Shown { at, size, text }),
            Inner::Frame { name, name_at, drawing: within, inset, .. } => {
                drawing.frames.push(Frame { at, size: [width, height], name, name_at: at[0] + name_at, level: depth });
                drawing.take(within, [at[0] + inset[0], at[1] + inset[1]]);
            }
        }
    }
    let lines = places.edges.into_iter().zip(arrives);
    drawing.edges.extend(lines.map(|(stretches, arrives)| Line { stretches, arrives }));
    let ports = |maps: &[usize], first: usize| -> Vec<Port> {
        maps.iter().enumerate().map(|(index, map)| (*map, places.things[first + index][0])).collect()
    };
    let (into, out) = (ports(&sources, 0), ports(&wanted, first_wanted));
    (drawing, into, out)
}

/// What an item is to those beside it.
enum Inner {
    Box(Text, [f64; 2]),
    Frame {
        name: String,
        name_at: f64,
        drawing: Drawing,
        /// Of what is in it, from its corner.
        inset: [f64; 2],
        size: [f64; 2],
        into: Vec<Port>,
        out: Vec<Port>,
    },
}

impl Inner {
    fn of(graph: &Graph, item: &Item, frame: &str, depth: usize) -> Self {
        match item {
            Item::Box(index) => Self::of_text(of_box(&graph.boxes[*index], frame)),
            Item::Closed(name, boxes) => Self::of_text(of_closed(graph, name, boxes, frame)),
            Item::Frame(name, items) => {
                let (drawing, into, out) = level(graph, items, name, depth + 1);
                let name = named(name, frame).unwrap_or(name).to_owned();
                let room = width(&name, SMALL, true) + 2.0 * INSET;
                // The name stands where no map comes in, if there is such a place.
                let mut inset = BESIDE;
                let mut size = drawing.width + 2.0 * BESIDE;
                let clear = |first: f64, inset: f64| {
                    into.iter().all(|(_, x)| x + inset < first - 4.0 || x + inset > first + room + 4.0)
                };
                let name_at = if clear(0.0, inset) {
                    0.0
                } else if size >= room && clear(size - room, inset) {
                    size - room
                } else {
                    let widest = into.iter().map(|(_, x)| x + inset).fold(0.0, f64::max) + 6.0;
                    size = size.max(widest + room);
                    size - room
                };
                if size < room {
                    inset += (room - size) / 2.0;
                    size = room;
                }
                let shift = |ports: Vec<Port>| ports.into_iter().map(|(map, x)| (map, x + inset)).collect();
                let height = drawing.height + NAME;
                let size = [size, height];
                Self::Frame {
                    name,
                    name_at: name_at + INSET,
                    drawing,
                    inset: [inset, NAME],
                    size,
                    into: shift(into),
                    out: shift(out),
                }
            }
        }
    }

    fn of_text(text: Text) -> Self {
        let foot = width(&text.shape, SMALL, false)
            + if text.parameters.is_empty() { 0.0 } else { 14.0 + width(&text.parameters, SMALL, false) };
        let lines = text.lines.iter().map(|line| width(line, SMALL, false));
        let widest = lines.chain([foot, width(&text.title, TITLE, true)]).fold(0.0, f64::max);
        let rows = text.lines.len() + 1 + usize::from(!text.title.is_empty());
        let size = [(widest + 2.0 * INSET).ceil(), rows as f64 * LINE + 12.0];
        Self::Box(text, size)
    }

    fn size(&self) -> [f64; 2] {
        match self {
            Self::Box(_, size) | Self::Frame { size, .. } => *size,
        }
    }

    /// Where a map comes in, from the middle.
    fn port_in(&self, map: usize) -> f64 {
        match self {
            Self::Box(..) => 0.0,
            Self::Frame { into, size, .. } => offset(into, map, size[0]),
        }
    }

    /// Where a map goes out, from the middle.
    fn port_out(&self, map: usize) -> f64 {
        match self {
            Self::Box(..) => 0.0,
            Self::Frame { out, size, .. } => offset(out, map, size[0]),
        }
    }
}

fn offset(ports: &[Port], map: usize, width: f64) -> f64 {
    ports.iter().find(|(other, _)| *other == map).map_or(0.0, |(_, x)| x - width / 2.0)
}

impl Drawing {
    /// All of another, which begins there. Edges end at the borders of frames, where those within begin.
    fn take(&mut self, other: Self, [dx, dy]: [f64; 2]) {
        let moved = |[x, y]: [f64; 2]| [x + dx, y + dy];
        self.boxes.extend(other.boxes.into_iter().map(|shown| Shown { at: moved(shown.at), ..shown }));
        let frames = other.frames.into_iter();
        self.frames.extend(frames.map(|frame| Frame { at: moved(frame.at), name_at: frame.name_at + dx, ..frame }));
        for line in other.edges {
            let mut stretches: Vec<_> = line.stretches.iter().map(|stretch| stretch.map(moved)).collect();
            // From the border, past the name.
            if let Some([start, _]) = stretches.first_mut()
                && start[1] <= dy
            {
                start[1] = dy - NAME;
            }
            self.edges.push(Line { stretches, ..line });
        }
    }
}

/// A name as it is within a frame, if it is more than numbers there.
fn named<'a>(path: &'a str, frame: &str) -> Option<&'a str> {
    let within = path.strip_prefix(frame).map_or(path, |rest| rest.trim_start_matches('.'));
    let is_number = within.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    (!is_number).then_some(within)
}

fn of_box(node: &Node, frame: &str) -> Text {
    let is_join = node.inputs.len() > 1;
    let kind = match () {
        () if node.layers.is_empty() => Kind::Input,
        () if node.parameters > 0 || node.shared => Kind::Trained,
        () if is_join => Kind::Join,
        () => Kind::Plain,
    };
    let mut layers = node.layers.iter();
    // A step without a label goes by what it is.
    let title = named(&node.path, frame).map(str::to_owned).or_else(|| layers.next().cloned()).unwrap_or_default();
    Text {
        title,
        lines: layers.cloned().collect(),
        shape: node.output.to_string(),
        parameters: match () {
            () if node.shared => "shared".to_owned(),
            () if node.parameters == 0 => String::new(),
            () => grouped(node.parameters),
        },
        kind,
        whole: node.steps.join("\n"),
    }
}

fn of_closed(graph: &Graph, name: &str, boxes: &[usize], frame: &str) -> Text {
    let parameters: usize = boxes.iter().map(|index| graph.boxes[*index].parameters).sum();
    let steps: usize = boxes.iter().map(|index| graph.boxes[*index].steps.len()).sum();
    let shape = boxes.last().map_or_else(String::new, |last| graph.boxes[*last].output.to_string());
    Text {
        title: named(name, frame).unwrap_or(name).to_owned(),
        lines: vec![graph.contents(boxes)],
        shape,
        parameters: if parameters == 0 { String::new() } else { grouped(parameters) },
        kind: Kind::Closed,
        whole: format!("{name}: {steps} steps"),
    }
}
