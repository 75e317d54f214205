//! Places of things in layers, so that who is read stands above who reads: the method of Sugiyama et al. 1981, "Methods for
//! visual understanding of hierarchical system structures". Knows widths and edges, and no networks.

/// A thing to be placed.
#[derive(Clone, Debug)]
pub(super) struct Thing {
    pub(super) width: f64,
    pub(super) height: f64,
    /// In the first layer, or in the last.
    pub(super) first: bool,
    pub(super) last: bool,
}

/// Who reads whom, and where the edge leaves and arrives, from the middles of the two.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edge {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) out: f64,
    pub(super) into: f64,
}

/// Where all is.
#[derive(Debug)]
pub(super) struct Places {
    pub(super) width: f64,
    pub(super) height: f64,
    /// The middle and the top of each thing.
    pub(super) things: Vec<[f64; 2]>,
    /// Of each edge the points where it goes straight down, from one to the next of a pair, in order: first at its origin.
    pub(super) edges: Vec<Vec<[[f64; 2]; 2]>>,
}

/// Between two things of a layer, and around an edge that passes.
const GAP: f64 = 26.0;
const PASSING: f64 = 6.0;
/// Between two layers: at least, more for each edge that goes aside, and at most.
const BETWEEN: [f64; 3] = [26.0, 5.0, 56.0];
/// At least between a port and what is next to it.
const PORT: f64 = 14.0;

pub(super) fn place(things: &[Thing], edges: &[Edge]) -> Places {
    let layer_of = layers(things, edges);
    let mut nodes: Vec<Thing> = things.to_vec();
    let mut layers: Vec<Vec<usize>> = vec![Vec::new(); layer_of.iter().max().map_or(0, |last| last + 1)];
    for (thing, layer) in layer_of.iter().enumerate() {
        layers[*layer].push(thing);
    }
    // An edge over several layers becomes a chain with a thing of its own in each.
    let mut links = Vec::new();
    let mut chains = Vec::new();
    for edge in edges {
        let mut chain = vec![edge.from];
        for layer in &mut layers[layer_of[edge.from] + 1..layer_of[edge.to]] {
            nodes.push(Thing { width: PASSING, height: 0.0, first: false, last: false });
            layer.push(nodes.len() - 1);
            chain.push(nodes.len() - 1);
        }
        chain.push(edge.to);
        for (index, pair) in chain.windows(2).enumerate() {
            let out = if index == 0 { edge.out } else { 0.0 };
            let into = if index + 2 == chain.len() { edge.into } else { 0.0 };
            links.push(Edge { from: pair[0], to: pair[1], out, into });
        }
        chains.push(chain);
    }
    order(&mut layers, &nodes, &links);
    let mut x = straighten(&layers, &nodes, &links, things.len());
    for chain in &chains {
        align(&chain[1..chain.len() - 1], &layers, &nodes, things.len(), &mut x);
    }
    let left = nodes.iter().zip(&x).map(|(node, x)| x - node.width / 2.0).fold(f64::INFINITY, f64::min);
    let left = if left.is_finite() { left } else { 0.0 };
    let x: Vec<f64> = x.iter().map(|x| x - left).collect();
    let width = nodes.iter().zip(&x).map(|(node, x)| x + node.width / 2.0).fold(0.0, f64::max);

    // Layers from top to bottom; each thing stands in the middle of its own.
    let mut tops = vec![0.0; nodes.len()];
    let mut bands = Vec::new();
    let mut y = 0.0;
    for (index, layer) in layers.iter().enumerate() {
        let height = layer.iter().map(|node| nodes[*node].height).fold(0.0, f64::max);
        for node in layer {
            tops[*node] = y + (height - nodes[*node].height) / 2.0;
        }
        bands.push([y, y + height]);
        let aside = links.iter().filter(|link| layer.contains(&link.from));
        let aside = aside.filter(|link| (x[link.from] + link.out - x[link.to] - link.into).abs() > 1.0).count();
        let [least, each, most] = BETWEEN;
        let is_last = index + 1 == layers.len();
        // Above and below are the borders of a frame.
        let is_port = |layer: Option<&Vec<usize>>| {
            layer.is_some_and(|layer| layer.iter().all(|node| nodes[*node].first || nodes[*node].last))
        };
        let least = if is_port(layers.get(index)) || is_port(layers.get(index + 1)) { PORT } else { least };
        y += height + if is_last { 0.0 } else { (least + each * aside as f64).min(most) };
    }
    let layer_index: Vec<usize> = {
        let mut of = vec![0; nodes.len()];
        layers.iter().enumerate().for_each(|(index, layer)| layer.iter().for_each(|node| of[*node] = index));
        of
    };
    let lines = edges.iter().zip(&chains).map(|(edge, chain)| {
        let last = chain.len() - 1;
        let stretch = |(index, node): (usize, &usize)| {
            let [top, bottom] = bands[layer_index[*node]];
            match index {
                0 => [[x[*node] + edge.out, tops[*node] + nodes[*node].height], [x[*node] + edge.out, bottom]],
                _ if index == last => [[x[*node] + edge.into, top], [x[*node] + edge.into, tops[*node]]],
                _ => [[x[*node], top], [x[*node], bottom]],
            }
        };
        chain.iter().enumerate().map(stretch).collect()
    });
    let lines = lines.collect();
    let places = (0..things.len()).map(|thing| [x[thing], tops[thing]]).collect();
    Places { width, height: y, things: places, edges: lines }
}

/// Each as far up as what it reads allows; who reads nothing, just above its reader.
fn layers(things: &[Thing], edges: &[Edge]) -> Vec<usize> {
    let ports = usize::from(things.iter().any(|thing| thing.first));
    let mut layer: Vec<usize> = things.iter().map(|thing| if thing.first { 0 } else { ports }).collect();
    // Edges go from things before to things behind, so that one walk in the order of the things is enough.
    let mut by_reader: Vec<&Edge> = edges.iter().collect();
    by_reader.sort_by_key(|edge| edge.to);
    for edge in &by_reader {
        layer[edge.to] = layer[edge.to].max(layer[edge.from] + 1);
    }
    for thing in (0..things.len()).rev() {
        let reads = edges.iter().any(|edge| edge.to == thing);
        let readers = edges.iter().filter(|edge| edge.from == thing).map(|edge| layer[edge.to]);
        if let (false, false, Some(nearest)) = (reads, things[thing].first, readers.min()) {
            layer[thing] = nearest - 1;
        }
    }
    if things.iter().any(|thing| thing.last) {
        let last = things.iter().zip(&layer).filter(|(thing, _)| !thing.last).map(|(_, layer)| layer + 1).max();
        for (thing, layer) in things.iter().zip(&mut layer) {
            if thing.last {
                *layer = last.unwrap_or(0);
            }
        }
    }
    layer
}

/// Orders each layer so that few edges cross: by the mean of the places of neighbours, up and down, and the best that was seen.
fn order(layers: &mut Vec<Vec<usize>>, nodes: &[Thing], links: &[Edge]) {
    const SWEEPS: usize = 12;
    let mut best = (crossings(layers, nodes, links), layers.clone());
    for sweep in 0..SWEEPS {
        let down = sweep % 2 == 0;
        let indices: Vec<usize> =
            if down { (1..layers.len()).collect() } else { (0..layers.len().saturating_sub(1)).rev().collect() };
        for index in indices {
            let beside = if down { index - 1 } else { index + 1 };
            let mut place = vec![f64::NAN; nodes.len()];
            layers[beside].iter().enumerate().for_each(|(at, node)| place[*node] = at as f64);
            let own: Vec<f64> = layers[index]
                .iter()
                .enumerate()
                .map(|(at, node)| {
                    let neighbours = links.iter().filter_map(|link| {
                        let (here, there, port) =
                            if down { (link.to, link.from, link.out) } else { (link.from, link.to, link.into) };
                        (here == *node && !place[there].is_nan())
                            .then(|| place[there] + port / nodes[there].width.max(1.0))
                    });
                    let (sum, count) = neighbours.fold((0.0, 0.0), |(sum, count), place| (sum + place, count + 1.0));
                    if count > 0.0 { sum / count } else { at as f64 }
                })
                .collect();
            let mut sorted: Vec<usize> = (0..own.len()).collect();
            sorted.sort_by(|a, b| own[*a].total_cmp(&own[*b]));
            layers[index] = sorted.into_iter().map(|at| layers[index][at]).collect();
        }
        let found = crossings(layers, nodes, links);
        if found < best.0 {
            best = (found, layers.clone());
        }
    }
    *layers = best.1;
}

fn crossings(layers: &[Vec<usize>], nodes: &[Thing], links: &[Edge]) -> usize {
    let mut place = vec![0.0; nodes.len()];
    let mut layer_of = vec![0; nodes.len()];
    for (index, layer) in layers.iter().enumerate() {
        for (at, node) in layer.iter().enumerate() {
            (place[*node], layer_of[*node]) = (at as f64, index);
        }
    }
    let ends = |link: &Edge| {
        let port = |node: usize, offset: f64| place[node] + offset / nodes[node].width.max(1.0);
        [port(link.from, link.out), port(link.to, link.into)]
    };
    let mut count = 0;
    for (index, one) in links.iter().enumerate() {
        for other in &links[index + 1..] {
            let ([a, b], [c, d]) = (ends(one), ends(other));
            if layer_of[one.from] == layer_of[other.from] && (a - c) * (b - d) < 0.0 {
                count += 1;
            }
        }
    }
    count
}

/// The middles of all nodes, so that edges are short and chains straight, and neighbours keep apart.
fn straighten(layers: &[Vec<usize>], nodes: &[Thing], links: &[Edge], things: usize) -> Vec<f64> {
    const SWEEPS: usize = 100;
    let gap = |left, right| apart(nodes, things, left, right);
    let mut x = vec![0.0; nodes.len()];
    for layer in layers {
        let mut at = 0.0;
        for (index, node) in layer.iter().enumerate() {
            if index > 0 {
                at += gap(layer[index - 1], *node);
            }
            x[*node] = at;
        }
    }
    // Passing edges are to be straight above all.
    let weight = |link: &Edge| match [link.from, link.to].iter().filter(|node| **node >= things).count() {
        0 => 1.0,
        1 => 2.0,
        _ => 8.0,
    };
    for sweep in 0..SWEEPS {
        let down = sweep % 2 == 0;
        let order: Vec<&Vec<usize>> = if down { layers.iter().collect() } else { layers.iter().rev().collect() };
        for layer in order {
            let wishes: Vec<[f64; 2]> = layer
                .iter()
                .map(|node| {
                    let (mut sum, mut total) = (0.0, 0.0);
                    for link in links {
                        let wish = match (link.to == *node, link.from == *node) {
                            (true, _) => x[link.from] + link.out - link.into,
                            (_, true) => x[link.to] + link.into - link.out,
                            _ => continue,
                        };
                        // The neighbours where the sweep comes from say more.
                        let weight = weight(link) * if (link.to == *node) == down { 1.0 } else { 0.25 };
                        (sum, total) = (sum + weight * wish, total + weight);
                    }
                    if total > 0.0 { [sum / total, total] } else { [x[*node], 0.01] }
                })
                .collect();
            // With the gaps taken off, it is to be found what rises and is nearest to the wishes.
            let mut offsets = vec![0.0; layer.len()];
            for index in 1..layer.len() {
                offsets[index] = offsets[index - 1] + gap(layer[index - 1], layer[index]);
            }
            let shifted: Vec<[f64; 2]> =
                wishes.iter().zip(&offsets).map(|([wish, weight], offset)| [wish - offset, *weight]).collect();
            for ((node, place), offset) in layer.iter().zip(rising(&shifted)).zip(&offsets) {
                x[*node] = place + offset;
            }
        }
    }
    x
}

/// From the middle of a node to that of the next in its layer, at least.
fn apart(nodes: &[Thing], things: usize, left: usize, right: usize) -> f64 {
    let between = if left >= things && right >= things { PASSING } else { GAP };
    (nodes[left].width + nodes[right].width) / 2.0 + between
}

/// Puts what an edge passes through on a line, as far as the neighbours leave room.
fn align(passing: &[usize], layers: &[Vec<usize>], nodes: &[Thing], things: usize, x: &mut [f64]) {
    let room = |node: usize, x: &[f64]| {
        let found = layers.iter().find_map(|layer| layer.iter().position(|other| *other == node).map(|at| (layer, at)));
        let Some((layer, at)) = found else { return [f64::NEG_INFINITY, f64::INFINITY] };
        let before = at.checked_sub(1).map(|before| layer[before]);
        [
            before.map_or(f64::NEG_INFINITY, |other| x[other] + apart(nodes, things, other, node)),
            layer.get(at + 1).map_or(f64::INFINITY, |other| x[*other] - apart(nodes, things, node, *other)),
        ]
    };
    let mut first = 0;
    while first < passing.len() {
        let [mut least, mut most] = room(passing[first], x);
        let mut end = first + 1;
        while end < passing.len() {
            let [low, high] = room(passing[end], x);
            if least.max(low) > most.min(high) {
                break;
            }
            (least, most, end) = (least.max(low), most.min(high), end + 1);
        }
        let line = &passing[first..end];
        let mean = line.iter().map(|node| x[*node]).sum::<f64>() / line.len() as f64;
        // Rounding may have left less room than none.
        let place = mean.min(most).max(least);
        line.iter().for_each(|node| x[*node] = place);
        first = end;
    }
}

/// The rising sequence that is nearest to weighted values in the sum of squares, by pooling neighbours that fall.
fn rising(values: &[[f64; 2]]) -> Vec<f64> {
    let mut pools: Vec<(f64, f64, usize)> = Vec::new();
    for [value, weight] in values {
        pools.push((*value, *weight, 1));
        while let [.., (before, before_weight, before_count), (last, last_weight, last_count)] = pools[..]
            && before > last
        {
            let weight = before_weight + last_weight;
            let mean = (before * before_weight + last * last_weight) / weight;
            pools.truncate(pools.len() - 2);
            pools.push((mean, weight, before_count + last_count));
        }
    }
    pools.into_iter().flat_map(|(value, _, count)| core::iter::repeat_n(value, count)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thing(width: f64) -> Thing {
        Thing { width, height: 10.0, first: false, last: false }
    }

    fn edge(from: usize, to: usize) -> Edge {
        Edge { from, to, out: 0.0, into: 0.0 }
    }

    #[test]
    fn what_falls_is_pooled() {
        assert_eq!(rising(&[[1.0, 1.0], [3.0, 1.0], [1.0, 3.0], [4.0, 1.0]]), [1.0, 1.5, 1.5, 4.0]);
    }

    #[test]
    fn a_chain_is_straight_and_what_passes_goes_beside_it() {
        let places = place(&[thing(20.0), thing(20.0), thing(20.0)], &[edge(0, 1), edge(1, 2), edge(0, 2)]);
        let [a, b, c] = [0, 1, 2].map(|index| places.things[index]);
        assert!(a[1] + 10.0 < b[1] && b[1] + 10.0 < c[1]);
        let passing = places.edges[2][1][0][0];
        assert!((passing - b[0]).abs() > 10.0 + PASSING / 2.0, "{passing} {b:?}");
    }

    #[test]
    fn things_of_a_layer_keep_apart() {
        let things: Vec<Thing> = (0..5).map(|_| thing(30.0)).collect();
        let edges: Vec<Edge> = (1..5).map(|to| edge(0, to)).collect();
        let places = place(&things, &edges);
        let mut middles: Vec<f64> = places.things[1..].iter().map(|place| place[0]).collect();
        middles.sort_by(f64::total_cmp);
        assert!(middles.windows(2).all(|pair| pair[1] - pair[0] >= 30.0 + GAP - 1e-9), "{middles:?}");
    }

    #[test]
    fn nothing_has_places() {
        assert_eq!(place(&[], &[]).height, 0.0);
    }
}
