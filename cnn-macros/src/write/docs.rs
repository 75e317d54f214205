//! The table of a network's steps for its documentation, so that an editor shows it on hover.

use super::views::{self, Of};
use crate::layers::{Arguments, Cost, is_1d};
use crate::parse::ast;
use crate::plan::{AtSize, Kind, Map, Plan, Step};
use crate::size::{Shape, Size};

/// Those of a network at several sizes: the table is that of the first.
pub(crate) fn family(network: &ast::Network, sizes: &[(AtSize, [Plan; 2])]) -> Vec<String> {
    let [(first, [plan, _]), ..] = sizes else { return Vec::new() };
    let mut lines = table(network, plan);
    lines.extend([String::new(), format!(" That is `{}`. All sizes have the same weights:", first.called)]);
    lines.extend([String::new(), "| size | output | multiply-adds |".to_owned(), "|:--|--:|--:|".to_owned()]);
    lines.extend(sizes.iter().map(|(size, [plan, _])| {
        let output = match plan.outputs.as_slice() {
            [] => map(plan.map(plan.output)),
            outputs => outputs.iter().map(|output| map(plan.map(output.map))).collect::<Vec<_>>().join(", "),
        };
        format!("| `{}` | {output} | {} |", size.called, total(plan, |cost| cost.multiply_adds))
    }));
    lines
}

/// Of all steps, if the macro knows.
fn total(plan: &Plan, of: fn(Cost) -> u128) -> String {
    let costs: Option<Vec<_>> = plan.steps.iter().map(|step| step.cost.map(of)).collect();
    costs.map_or("?".to_owned(), |costs| grouped(costs.into_iter().fold(0, u128::saturating_add)))
}

/// Lines of Markdown.
pub(crate) fn table(network: &ast::Network, plan: &Plan) -> Vec<String> {
    let documented = network.attributes.iter().any(|attribute| attribute.path().is_ident("doc"));
    let mut lines = vec![String::new()];
    if !documented {
        lines.insert(0, format!(" A network of {} layers.", plan.steps.len() - plan.inputs.len()));
    }
    lines.push("| step | output | kernel, stride, padding | parameters | multiply-adds |".to_owned());
    lines.push("|:--|--:|:--|--:|--:|".to_owned());
    if plan.inputs.is_empty() {
        lines.push(format!("| input | {} | | | |", map(&plan.maps[0])));
    }
    lines.extend(plan.steps.iter().map(|step| row(plan, step)));
    let (parameters, multiply_adds) = (total(plan, |cost| cost.parameters), total(plan, |cost| cost.multiply_adds));
    lines.push(format!("| **total** | | | {parameters} | {multiply_adds} |"));
    let names: Vec<_> = views::names(plan).into_iter().map(|name| format!("`{name}`")).collect();
    if !names.is_empty() {
        lines.push(String::new());
        let (name, of) = (&network.name, Of::plan(plan));
        let (function, views) = (of.function(), of.type_name(network));
        lines.push(format!(" [`{name}::{function}`] makes [`{views}`] of its output: {}.", names.join(", ")));
    }
    lines
}

fn row(plan: &Plan, step: &Step) -> String {
    let or_blank = |number: Option<u128>| match number {
        Some(0) => String::new(),
        Some(number) => grouped(number),
        None => "?".to_owned(),
    };
    let window = match &step.kind {
        Kind::Layer { row, arguments } => window(arguments, is_1d(row.name)),
        Kind::Custom(_) | Kind::Join(_) | Kind::Map(_) | Kind::Take { .. } => String::new(),
    };
    format!(
        "| {} (`{}`) | {} | {window} | {} | {} |",
        step.path,
        step.layer(),
        map(plan.map(step.output)),
        or_blank(step.cost.map(|cost| cost.parameters)),
        or_blank(step.cost.map(|cost| cost.multiply_adds)),
    )
}

fn map(map: &Map) -> String {
    let known = matches!(map.shape, Shape::Sizes(_)).then_some("known to rustc only");
    known.map_or_else(|| map.shape.to_string(), str::to_owned)
}

/// Kernel, stride and padding: `5x5, stride 1, padding 2`, or along a sequence `5, stride 1, padding 2`.
fn window(arguments: &Arguments, is_1d: bool) -> String {
    if arguments.get("p").is_some() {
        return arguments.real("p").known().map_or("p = ?".to_owned(), |p| format!("p = {p}"));
    }
    if arguments.get("kernel_size").is_none() {
        return String::new();
    }
    let text = |size: &Size| size.known().map_or("?".to_owned(), |number| number.to_string());
    let pair = |name: &str| arguments.pair(name).each_ref().map(text);
    let short = |name: &str| {
        let [vertical, horizontal] = pair(name);
        if is_1d || vertical == horizontal { horizontal } else { format!("({vertical}, {horizontal})") }
    };
    let padding = match arguments.padding().each_ref().map(text) {
        _ if arguments.is_same_padding() => "same".to_owned(),
        [_, _, left, right] if is_1d && left != right => format!("({left}, {right})"),
        [_, _, left, _] if is_1d => left,
        [top, bottom, left, right] if top != bottom || left != right => format!("({top}, {bottom}, {left}, {right})"),
        [vertical, _, horizontal, _] if vertical != horizontal => format!("({vertical}, {horizontal})"),
        [padding, ..] => padding,
    };
    let kernel = if is_1d { short("kernel_size") } else { pair("kernel_size").join("x") };
    let mut line = format!("{kernel}, stride {}, padding {padding}", short("stride"));
    if arguments.get("dilation").is_some() && short("dilation") != "1" {
        line += &format!(", dilation {}", short("dilation"));
    }
    if arguments.get("output_padding").is_some() && short("output_padding") != "0" {
        line += &format!(", output_padding {}", short("output_padding"));
    }
    if arguments.get("groups").is_some() && arguments.count("groups").known() != Some(1) {
        line += &format!(", {} groups", text(arguments.count("groups")));
    }
    if arguments.truth("ceil_mode") {
        line += ", ceil_mode";
    }
    line
}

/// `1,234,567`
fn grouped(number: u128) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
