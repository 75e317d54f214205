//! Maps that are written out: the input, and what `=>` states.

use quote::{ToTokens, quote};
use syn::Expr;

use super::Walk;
use super::limits::too_large;
use crate::layers::CheckedSizes;
use crate::parse::ast::Dims;
use crate::plan::{ConstantType, Map};
use crate::size::{Shape, Size, sizes_expression};

impl Walk<'_, '_> {
    /// `=>`: the map must be this one; of a map that the macro does not know it says what it is.
    pub(super) fn claim(&mut self, claim: &Dims, name: &str) {
        let Some(claimed) = self.dims(claim, &format!("{name}: the map")) else { return };
        let Some(current) = self.current else {
            // After a mistake, the reader's word is as good as any to go on with.
            self.current = Some(self.add_map(Map::new(claimed)));
            return;
        };
        let found = &self.plan.map(current).shape;
        if found.contradicts(&claimed) {
            let right = corrected(claim, &claimed, found);
            let help = if self.errors.in_use() {
                format!("in this use `=> <{right}>` holds; a map that is another in each use is stated behind the use")
            } else {
                format!("write `=> <{right}>`, or change the steps before it")
            };
            let text = format!("{name}: the map is {found}, not {claimed}\nhelp: {help}");
            self.wrong(&claim.tokens, text);
            return;
        }
        if found.is_known() && claimed.is_known() {
            return;
        }
        let sound = self.sound(found);
        let [is, stated] = [found, &claimed].map(sizes_expression);
        let check = quote!(::cnn_core::shape::check::claim(#name, #is, #sound, #stated));
        let found_is_known = found.is_known();
        self.settle().constant(ConstantType::Made, check, &claim.tokens);
        if !found_is_known {
            self.plan.maps[current.0].shape = claimed;
        }
        self.plan.maps[current.0].constants = self.plan.constants.len();
    }

    /// A map that a network takes; whether memory can have it is for rustc to see if it alone knows the sizes.
    pub(super) fn taken(&mut self, dims: &Dims, shape: Shape) -> Shape {
        if shape.is_known() {
            return shape;
        }
        let (name, sizes) = (self.network.to_string(), sizes_expression(&shape));
        let checked = match &shape {
            Shape::Flat(features) => CheckedSizes::Flat(features.known()),
            shape => CheckedSizes::Chw(shape.sizes().map(|size| size.known())),
        };
        let check = quote!(::cnn_core::shape::check::input(#name, #sizes));
        self.checked(checked, check, &dims.tokens)
    }

    pub(super) fn dims(&mut self, dims: &Dims, what: &str) -> Option<Shape> {
        let mut sizes = Vec::new();
        let names: &[&str] = match dims.sizes.len() {
            2 => &["channels", "length"],
            3 => &["channels", "height", "width"],
            _ => &["features"],
        };
        for (index, size) in dims.sizes.iter().enumerate() {
            let side = names.get(index).unwrap_or(&"size");
            sizes.push(self.settle().number(size, &format!("{what}'s {side}"), 1)?);
        }
        let shape = match sizes.as_slice() {
            [channels, height, width] => Shape::Chw([channels, height, width].map(Size::clone)),
            [channels, length] => Shape::Chw([channels.clone(), Size::Known(1), length.clone()]),
            [features] => Shape::Flat(features.clone()),
            _ => {
                let text = format!(
                    "{what} has {} sizes\n\
                     help: three, `<channels, height, width>`, two, `<channels, length>`, or one, `<features>`",
                    sizes.len()
                );
                self.errors.note(&dims.tokens, text);
                return None;
            }
        };
        if let Some(text) = too_large(&shape) {
            self.errors.note(&dims.tokens, format!("{what} {text}"));
            return None;
        }
        Some(shape)
    }
}

/// What holds instead of a claim, with what is right in it as it is written.
fn corrected(claim: &Dims, claimed: &Shape, found: &Shape) -> String {
    let sides: Vec<_> = match (claimed, found) {
        // A sequence, which has its length behind its channels.
        (Shape::Chw([c, _, w]), Shape::Chw([channels, height, width])) if claim.sizes.len() == 2 => {
            if height.known() != Some(1) {
                return found.to_string().replace('x', ", ");
            }
            vec![(c, channels), (w, width)]
        }
        (Shape::Chw(claimed), Shape::Chw(found)) => claimed.iter().zip(found).collect(),
        (Shape::Flat(claimed), Shape::Flat(found)) => vec![(claimed, found)],
        _ => return found.to_string().replace('x', ", "),
    };
    let side = |((claimed, found), written): ((&Size, &Size), &Expr)| match (claimed.known(), found.known()) {
        (Some(claimed), Some(found)) if claimed != found => found.to_string(),
        _ => written.to_token_stream().to_string(),
    };
    sides.into_iter().zip(&claim.sizes).map(side).collect::<Vec<_>>().join(", ")
}
