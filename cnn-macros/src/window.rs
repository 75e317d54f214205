//! The rule `(n - f + 2p)/s + 1` on integers, and the sentences that explain where it fails. Nobody else here writes it.

/// One axis of a window that moves over a map.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Axis {
    pub(crate) cells: u64,
    pub(crate) kernel: u64,
    pub(crate) stride: u64,
    /// Before the map and behind it.
    pub(crate) padding: [u64; 2],
    pub(crate) dilation: u64,
    /// Whether a remainder gets a window of its own.
    pub(crate) ceil: bool,
}

impl Axis {
    /// Cells and padding.
    fn padded(&self) -> u128 {
        u128::from(self.cells) + self.padding.map(u128::from).iter().sum::<u128>()
    }

    /// Cells from the first tap to the last one.
    fn reach(&self) -> u128 {
        u128::from(self.dilation) * u128::from(self.kernel.saturating_sub(1)) + 1
    }

    /// How many positions the window has, rounded as PyTorch does; `None` if it does not fit.
    pub(crate) fn output(&self) -> Option<u64> {
        let stride = u128::from(self.stride);
        let over = if self.ceil { stride - 1 } else { 0 };
        let steps = (self.padded() + over).checked_sub(self.reach())? / stride;
        // No window starts on the padding behind the map.
        let starts_behind = self.ceil && steps * stride >= u128::from(self.cells) + u128::from(self.padding[0]);
        u64::try_from(if starts_behind { steps } else { steps + 1 }).ok()
    }

    /// Cells behind the last position that no window reaches.
    fn remainder(&self) -> u128 {
        self.padded().saturating_sub(self.reach()) % u128::from(self.stride)
    }

    /// The rule with the numbers put in.
    fn rule(&self) -> String {
        let Self { cells, kernel, stride, padding: [before, behind], dilation, ceil } = self;
        let reach = if *dilation == 1 { kernel.to_string() } else { format!("{dilation}*({kernel} - 1) - 1") };
        let padding = if before == behind { format!("2*{before}") } else { format!("{before} + {behind}") };
        let up = if *ceil { ", rounded up," } else { "" };
        format!("({cells} - {reach} + {padding})/{stride}{up} + 1")
    }
}

/// No padding is larger: a map of such a side alone would fill the memory.
const LARGEST: u128 = isize::MAX as u128 / 4;

/// Ways out are looked for so far: a help that is further away is none.
const FEW: usize = 64;

/// The largest number up to `most` that divides both; if it is far below, just one that does.
pub(crate) fn common_divisor(a: u64, b: u64, most: u64) -> u64 {
    let (mut common, mut rest) = (a, b);
    while rest != 0 {
        (common, rest) = (rest, common % rest);
    }
    if common <= most {
        return common;
    }
    (1..=most).rev().take(FEW).find(|divisor| common.is_multiple_of(*divisor)).unwrap_or(1)
}

/// What a window of a layer may not do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// A remainder is a mistake.
    pub(crate) strict: bool,
    /// It is a pooling's: half its kernel is the most padding, and the dilation does not count, as in PyTorch.
    pub(crate) pools: bool,
    /// It lies along a sequence, which has nothing to say of its height.
    pub(crate) is_1d: bool,
}

/// Which argument a mistake is about, and what is wrong: first line, rule, way out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Misfit {
    pub(crate) argument: &'static str,
    pub(crate) text: String,
}

/// Height and width of what a window makes of a map; `written` is the layer up to its kernel, `conv2d<8, `.
pub(crate) fn output(name: &str, written: &str, axes: [Axis; 2], limits: Limits) -> Result<[u64; 2], Misfit> {
    for (axis, side) in axes.iter().zip(["height", "width"]) {
        // On a square map with a square window both axes read the same.
        let is_one = limits.is_1d || axes[0].rule() == axes[1].rule();
        let rule = if is_one { "rule".to_owned() } else { format!("rule ({side})") };
        let map = match limits.is_1d {
            true => format!("sequence of length {}", axes[1].cells),
            false => format!("{}x{} feature map", axes[0].cells, axes[1].cells),
        };
        let half = axis.kernel / 2;
        if limits.pools && axis.padding[0] > half {
            let Axis { padding: [padding, _], kernel, .. } = axis;
            return Err(Misfit {
                argument: "padding",
                text: format!(
                    "{name}: padding {padding} is more than half of kernel_size {kernel}\n\
                     rule: a pooling's window must not lie in the padding: padding <= {half}\n\
                     help: padding <= {half}, or kernel_size >= {}",
                    2 * u128::from(*padding)
                ),
            });
        }
        if axis.output().is_none() {
            let text = no_room([name, written], axes, usize::from(side == "width"), &map, &rule, limits);
            return Err(Misfit { argument: "kernel_size", text });
        }
        if limits.strict && axis.remainder() != 0 {
            return Err(Misfit { argument: "stride", text: remainder(name, axis, &map, &rule, limits) });
        }
    }
    let [height, width] = axes.map(|axis| axis.output());
    Ok([height.unwrap_or_default(), width.unwrap_or_default()])
}

/// Height or width that a window makes backwards: as many cells as give `axis.cells` positions.
pub(crate) fn transposed(name: &str, axis: Axis, output_padding: u64) -> Result<u64, Misfit> {
    let Axis { cells, stride, dilation, padding: [before, behind], .. } = axis;
    let most = stride.max(dilation) - 1;
    let spread_by = |output_padding: u64| {
        u128::from(cells.saturating_sub(1)) * u128::from(stride) + axis.reach() + u128::from(output_padding)
    };
    let padding = u128::from(before) + u128::from(behind);
    if output_padding > most {
        let rule =
            if dilation > 1 { format!("stride {stride} or dilation {dilation}") } else { format!("stride {stride}") };
        // A way out must not be refused in turn.
        let left = spread_by(most);
        let less = if padding >= left { format!(", and padding <= {}", (left - 1) / 2) } else { String::new() };
        return Err(Misfit {
            argument: "output_padding",
            text: format!(
                "{name}: output_padding {output_padding} is more than the remainder that a stride can leave\n\
                 rule: output_padding < {rule}\n\
                 help: output_padding <= {most}{less}"
            ),
        });
    }
    let spread = spread_by(output_padding);
    if padding >= spread {
        let both = if before == behind { format!("2*{before}") } else { format!("{before} - {behind}") };
        return Err(Misfit {
            argument: "padding",
            text: format!(
                "{name}: the padding takes all that the kernel makes\n\
                 rule: ({cells} - 1)*{stride} + {} + {output_padding} - {both} < 1\n\
                 help: padding <= {}",
                axis.reach(),
                (spread - 1) / 2
            ),
        });
    }
    // What is larger than that is too large for memory, and reported as such.
    Ok(u64::try_from(spread - padding).unwrap_or(u64::MAX))
}

fn no_room([name, written]: [&str; 2], axes: [Axis; 2], side: usize, map: &str, rule: &str, limits: Limits) -> String {
    let axis = &axes[side];
    let over = if axis.ceil { u128::from(axis.stride) - 1 } else { 0 };
    let missing = (axis.reach() - axis.padded() - over).div_ceil(2) + u128::from(axis.padding[0].max(axis.padding[1]));
    let fits = (axis.padded() + over - 1) / u128::from(axis.dilation) + 1;
    // A way out must not be refused in turn.
    let half = |kernel: u128| if limits.pools { kernel / 2 } else { LARGEST };
    let largest = u128::from(axis.padding[0].max(axis.padding[1]));
    let flat = flat_kernel(axes, side);
    let ways = [
        flat.map(|[height, width]| format!("`{written}({height}, {width})>`, as the map has one {}", LINES[side])),
        (missing <= half(u128::from(axis.kernel)).min(LARGEST)).then(|| format!("padding >= {missing}")),
        (largest <= half(fits)).then(|| format!("kernel_size <= {fits}")).filter(|_| flat.is_none()),
    ];
    let ways: Vec<_> = ways.into_iter().flatten().collect();
    let ways = if ways.is_empty() { "a smaller dilation".to_owned() } else { ways.join(", or ") };
    let dilated = if axis.dilation == 1 { String::new() } else { format!(" with dilation {}", axis.dilation) };
    format!(
        "{name}: kernel_size {}{dilated} does not fit the {map}\n{rule}: {} < 1\nhelp: {ways}",
        axis.kernel,
        axis.rule()
    )
}

/// What a map has one of, where it is a line of cells.
const LINES: [&str; 2] = ["row", "column"];

/// On a map of one row or one column, which no padding widens: the kernel that lies along it.
fn flat_kernel(axes: [Axis; 2], side: usize) -> Option<[u64; 2]> {
    let [across, along] = [axes[side], axes[1 - side]];
    let is_line = across.cells == 1 && along.cells > 1 && across.padding == [0, 0];
    let kernel = [0, 1].map(|each| if each == side { 1 } else { axes[each].kernel });
    (is_line && along.output().is_some()).then_some(kernel)
}

fn remainder(name: &str, axis: &Axis, map: &str, rule: &str, limits: Limits) -> String {
    let left = axis.remainder();
    let cells = if left == 1 { "1 cell".to_owned() } else { format!("{left} cells") };
    let steps = axis.padded() - axis.reach();
    let fits = |stride: &u64| steps.is_multiple_of(u128::from(*stride));
    let divisor = (1..=axis.stride).rev().take(FEW).find(fits).unwrap_or(1);
    let padding = (1..=axis.stride)
        .take(FEW)
        .filter(|_| axis.padding[0] == axis.padding[1])
        .map(|more| axis.padding[0] + more)
        .filter(|padding| !limits.pools || *padding <= axis.kernel / 2)
        .find(|padding| Axis { padding: [*padding; 2], ..*axis }.remainder() == 0)
        .map(|padding| format!("padding = {padding}, "))
        .unwrap_or_default();
    format!(
        "{name}: stride {} does not divide the {map}, {cells} left over, and `strict` forbids it\n\
         {rule}: {} leaves {left} of {} over\n\
         help: {padding}stride = {divisor}, or leave `strict` out to round down",
        axis.stride,
        axis.rule(),
        axis.stride
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAX: Limits = Limits { strict: false, pools: false, is_1d: false };

    fn axis(cells: u64, kernel: u64, stride: u64, padding: u64, dilation: u64) -> Axis {
        Axis { cells, kernel, stride, padding: [padding; 2], dilation, ceil: false }
    }

    #[test]
    fn the_rule_counts_window_positions() {
        for cells in 1..9 {
            for kernel in 1..6 {
                for stride in 1..4 {
                    for padding in 0..4 {
                        for dilation in 1..4 {
                            let last = cells + 2 * padding;
                            let starts = (0..last).step_by(stride as usize);
                            let fitting = starts.filter(|start| start + dilation * (kernel - 1) < last).count() as u64;
                            let output = axis(cells, kernel, stride, padding, dilation).output();
                            assert_eq!(output.unwrap_or(0), fitting);
                        }
                    }
                }
            }
        }
    }

    /// `pooling_output_shape_pad_lr` of PyTorch, by trying: windows that start on the map or the padding before it, and
    /// of which the first tap that does not hang over is on the padded map.
    #[test]
    fn rounded_up_a_remainder_is_a_window() {
        let ceil = |cells, kernel, stride, padding, dilation| {
            Axis { ceil: true, ..axis(cells, kernel, stride, padding, dilation) }.output()
        };
        assert_eq!(ceil(55, 3, 2, 0, 1), Some(27));
        assert_eq!(ceil(54, 3, 2, 0, 1), Some(27));
        assert_eq!(ceil(4, 2, 3, 1, 1), Some(2));
        assert_eq!(ceil(2, 3, 2, 0, 1), Some(1));
        assert_eq!(ceil(1, 3, 2, 0, 1), None);
        for (cells, kernel, stride, padding, dilation) in [(7, 2, 3, 1, 1), (9, 3, 2, 1, 2), (5, 1, 4, 0, 1)] {
            let down = axis(cells, kernel, stride, padding, dilation).output().unwrap();
            let up = ceil(cells, kernel, stride, padding, dilation).unwrap();
            assert!(up == down || up == down + 1 && (up - 1) * stride < cells + padding);
        }
    }

    #[test]
    fn a_transposed_window_goes_back() {
        for (cells, kernel, stride, padding, dilation) in [(7, 3, 2, 1, 1), (5, 2, 2, 0, 1), (4, 3, 1, 2, 2)] {
            let back = transposed("up", axis(cells, kernel, stride, padding, dilation), 0).unwrap();
            assert_eq!(axis(back, kernel, stride, padding, dilation).output(), Some(cells));
        }
        assert!(transposed("up", axis(1, 3, 1, 2, 1), 0).unwrap_err().text.contains("padding <= 1"));
        assert!(transposed("up", axis(1, 3, 2, 0, 1), 2).unwrap_err().text.contains("output_padding <= 1"));
    }

    #[test]
    fn a_misfit_says_rule_and_way_out() {
        let text = |axes, limits| output("conv2", "conv2d<8, ", axes, limits).unwrap_err().text;
        assert_eq!(
            text([axis(5, 7, 1, 0, 1); 2], LAX),
            "conv2: kernel_size 7 does not fit the 5x5 feature map\nrule: (5 - 7 + 2*0)/1 + 1 < 1\n\
             help: padding >= 1, or kernel_size <= 5"
        );
        assert_eq!(
            text([axis(9, 3, 1, 0, 1), axis(4, 3, 2, 0, 3)], LAX),
            "conv2: kernel_size 3 with dilation 3 does not fit the 9x4 feature map\n\
             rule (width): (4 - 3*(3 - 1) - 1 + 2*0)/2 + 1 < 1\nhelp: padding >= 2, or kernel_size <= 2"
        );
        assert_eq!(
            text([axis(28, 3, 2, 0, 1); 2], Limits { strict: true, pools: false, is_1d: false }),
            "conv2: stride 2 does not divide the 28x28 feature map, 1 cell left over, and `strict` forbids it\n\
             rule: (28 - 3 + 2*0)/2 + 1 leaves 1 of 2 over\n\
             help: stride = 1, or leave `strict` out to round down"
        );
        assert_eq!(
            text([axis(28, 3, 2, 2, 1); 2], Limits { strict: false, pools: true, is_1d: false }),
            "conv2: padding 2 is more than half of kernel_size 3\n\
             rule: a pooling's window must not lie in the padding: padding <= 1\n\
             help: padding <= 1, or kernel_size >= 4"
        );
    }

    /// The numbers that a help has behind these words.
    fn proposed(misfit: &Misfit, before: &str) -> Option<u64> {
        let help = misfit.text.rsplit_once("help: ").unwrap().1;
        let rest = help.split_once(before)?.1;
        Some(rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap())
    }

    #[test]
    fn the_ways_out_work() {
        let mut found = [0; 4];
        for (cells, kernel, stride) in (1..6).flat_map(|a| (1..9).flat_map(move |b| (1..4).map(move |c| (a, b, c)))) {
            for (dilation, padding) in (1..4).flat_map(|a| (0..4).map(move |b| (a, b))) {
                for (strict, pools, ceil) in [
                    (false, false, false),
                    (true, false, false),
                    (false, true, false),
                    (true, true, false),
                    (false, true, true),
                ] {
                    let limits = Limits { strict, pools, is_1d: false };
                    let wrong = Axis { ceil, ..axis(cells, kernel, stride, padding, dilation) };
                    let Err(misfit) = output("it", "conv2d<8, ", [wrong; 2], limits) else { continue };
                    let ways = ["padding >= ", "kernel_size <= ", "padding = ", "stride = "];
                    for (index, way) in ways.into_iter().enumerate() {
                        let Some(number) = proposed(&misfit, way) else { continue };
                        found[index] += 1;
                        let changed = match index {
                            0 | 2 => Axis { padding: [number; 2], ..wrong },
                            1 => Axis { kernel: number, ..wrong },
                            _ => Axis { stride: number, ..wrong },
                        };
                        // A stride may still leave a remainder; that is another mistake.
                        let limits = Limits { strict: strict && misfit.argument == "stride", ..limits };
                        assert!(output("it", "conv2d<8, ", [changed; 2], limits).is_ok(), "{}", misfit.text);
                    }
                }
            }
        }
        assert!(found.iter().all(|count| *count > 0), "{found:?}");
    }

    #[test]
    fn the_ways_out_of_a_transposed_window_work() {
        for (cells, kernel, stride) in (1..4).flat_map(|a| (1..4).flat_map(move |b| (1..4).map(move |c| (a, b, c)))) {
            for (dilation, padding, gained) in
                (1..4).flat_map(|a| (0..5).flat_map(move |b| (0..5).map(move |c| (a, b, c))))
            {
                let wrong = axis(cells, kernel, stride, padding, dilation);
                let Err(misfit) = transposed("up", wrong, gained) else { continue };
                let gained = proposed(&misfit, "output_padding <= ").unwrap_or(gained);
                let padding = proposed(&misfit, " padding <= ")
                    .or(proposed(&misfit, "padding <= ").filter(|_| misfit.argument == "padding"))
                    .unwrap_or(padding);
                let right = transposed("up", Axis { padding: [padding; 2], ..wrong }, gained);
                assert!(right.is_ok(), "{}", misfit.text);
            }
        }
    }
}
