//! A diagram in the language of Graphviz.

use core::fmt::Write;

use super::graph::{Graph, Item};

pub(super) fn dot(graph: &Graph, items: &[Item]) -> String {
    let mut text = format!("digraph {} {{\n  node [shape=box, style=rounded];\n", quoted(graph.name));
    // The node that a box is part of.
    let mut node_of: Vec<usize> = (0..graph.boxes.len()).collect();
    let mut clusters = 0;
    // Writing to a string cannot fail.
    let _ = items.iter().try_for_each(|item| write_item(&mut text, graph, item, &mut node_of, &mut clusters, 1));
    let mut edges: Vec<[usize; 2]> = Vec::new();
    for (reader, node) in graph.boxes.iter().enumerate() {
        edges.extend(node.inputs.iter().map(|input| [node_of[*input], node_of[reader]]));
    }
    edges.retain(|[from, to]| from != to);
    edges.sort_unstable();
    edges.dedup();
    for [from, to] in edges {
        let _ = writeln!(text, "  n{from} -> n{to};");
    }
    text + "}\n"
}

fn write_item(
    text: &mut String,
    graph: &Graph,
    item: &Item,
    node_of: &mut [usize],
    clusters: &mut usize,
    level: usize,
) -> core::fmt::Result {
    let indent = "  ".repeat(level);
    match item {
        Item::Box(index) => {
            let node = &graph.boxes[*index];
            let lines =
                [node.path.clone()].into_iter().chain(node.layers.iter().cloned()).chain([node.output.to_string()]);
            writeln!(text, "{indent}n{index} [label={}];", quoted(&lines.collect::<Vec<_>>().join("\n")))
        }
        Item::Closed(name, boxes) => {
            let (Some(first), Some(last)) = (boxes.first(), boxes.last()) else { return Ok(()) };
            boxes.iter().for_each(|index| node_of[*index] = *first);
            let label = format!("{name}\n{}\n{}", graph.contents(boxes), graph.boxes[*last].output);
            writeln!(text, "{indent}n{first} [label={}, style=\"rounded,filled\"];", quoted(&label))
        }
        Item::Frame(name, items) => {
            writeln!(text, "{indent}subgraph cluster_{clusters} {{\n{indent}  label={};", quoted(name))?;
            *clusters += 1;
            items.iter().try_for_each(|item| write_item(text, graph, item, node_of, clusters, level + 1))?;
            writeln!(text, "{indent}}}")
        }
    }
}

/// As a string of the language.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotation_marks_are_escaped() {
        assert_eq!(quoted("a \"b\"\\\nc"), "\"a \\\"b\\\"\\\\\\nc\"");
    }
}
