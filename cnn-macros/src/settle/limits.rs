//! What is too large for any memory.

use crate::layers::{Arguments, Row};
use crate::plan::Plan;
use crate::size::{Shape, Size};

/// f32 values that a map or the weights of a layer may have: memory has `isize::MAX` bytes.
const MOST_VALUES: u128 = isize::MAX as u128 / 4;

/// Why a shape is too large for memory.
pub(super) fn too_large(shape: &Shape) -> Option<String> {
    if let Shape::Sizes(_) = shape {
        return None;
    }
    let values = shape.sizes().iter().filter_map(Size::known).map(u128::from).fold(1, u128::saturating_mul);
    (values > MOST_VALUES).then(|| format!("overflows: {shape} values are more than memory can have"))
}

/// Why a network whose layers each fit is too large for memory.
pub(super) fn too_large_together(plan: &Plan) -> Option<String> {
    let maps = plan.maps.iter().filter_map(|map| map.shape.known_len()).map(u128::from).sum::<u128>();
    let parameters = plan.steps.iter().filter_map(|step| step.cost).map(|cost| cost.parameters).sum::<u128>();
    // A step may keep a map and its gradient.
    if maps > MOST_VALUES / 2 {
        return Some(format!("its maps overflow: {maps} values are more than memory can have"));
    }
    (parameters > MOST_VALUES)
        .then(|| format!("its parameters overflow: {parameters} values are more than memory can have"))
}

/// Why a layer is too large for memory.
pub(super) fn overflow(name: &str, arguments: &Arguments, row: &Row, input: &Shape, output: &Shape) -> Option<String> {
    if let Some(text) = too_large(output) {
        return Some(format!("{name}: the map that it makes {text}\nhelp: a smaller map"));
    }
    let cost = (row.cost)(arguments, input, output)?;
    if cost.parameters > MOST_VALUES {
        return Some(format!(
            "{name}: the number of its parameters overflows\nhelp: fewer channels or a smaller kernel"
        ));
    }
    if cost.multiply_adds > u128::from(u64::MAX) {
        return Some(format!("{name}: the number of its multiply-adds overflows\nhelp: a smaller map"));
    }
    None
}
