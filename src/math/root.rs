//! Roots of functions of one variable.

/// A root of `function` between `ends`, by Brent's method: where its sign changes, to within 4
/// epsilon |root| + `tolerance`, also where it jumps. The first end if it is a root or the signs at
/// both ends are the same and the function is nearer to 0 there, else the other.
///
/// The steps are those of `uniroot` in R, so that a root within a flat stretch or a jump is found
/// at the same point.
///
/// Source: R. P. Brent, Algorithms for Minimization without Derivatives (1973), chapter 4.
///
/// # Panics
/// `tolerance` is not positive.
pub fn root(function: impl Fn(f64) -> f64, ends: [f64; 2], tolerance: f64) -> f64 {
    assert!(tolerance > 0.0, "a tolerance of {tolerance}");
    let at = |x: f64| Point { x, y: function(x) };
    let [mut last, mut best] = ends.map(at);
    if last.y == 0.0 || best.y == 0.0 || (last.y > 0.0) == (best.y > 0.0) {
        return if last.y.abs() <= best.y.abs() { last.x } else { best.x };
    }
    // The root lies between `best` and `other`; `last` is the best before.
    let mut other = last;
    for _ in 0..MAX_STEPS {
        let previous = best.x - last.x;
        if other.y.abs() < best.y.abs() {
            (last, best, other) = (best, other, best);
        }
        let least = 2.0 * f64::EPSILON * best.x.abs() + 0.5 * tolerance;
        let half = 0.5 * (other.x - best.x);
        if half.abs() <= least || best.y == 0.0 {
            return best.x;
        }
        let far = previous.abs() >= least && last.y.abs() > best.y.abs();
        let step = if far { interpolated(last, best, other, previous, least) } else { None };
        let mut step = step.unwrap_or(half);
        if step.abs() < least {
            step = least.copysign(step);
        }
        last = best;
        best = at(best.x + step);
        if (best.y > 0.0 && other.y > 0.0) || (best.y < 0.0 && other.y < 0.0) {
            other = last;
        }
    }
    best.x
}

#[derive(Clone, Copy)]
struct Point {
    x: f64,
    y: f64,
}

/// The step from `best` to the root of the line through two points or of the inverse parabola
/// through three; `None` where it would leave the interval or is longer than half the step before
/// the last.
fn interpolated(last: Point, best: Point, other: Point, previous: f64, least: f64) -> Option<f64> {
    let width = other.x - best.x;
    let (p, q) = if last.x == other.x {
        let ratio = best.y / last.y;
        (width * ratio, 1.0 - ratio)
    } else {
        let (q, first, second) = (last.y / other.y, best.y / other.y, best.y / last.y);
        let p = second * (width * q * (q - first) - (best.x - last.x) * (first - 1.0));
        (p, (q - 1.0) * (first - 1.0) * (second - 1.0))
    };
    let (p, q) = if p > 0.0 { (p, -q) } else { (-p, q) };
    let inside = p < 0.75 * width * q - 0.5 * (least * q).abs();
    (inside && p < 0.5 * (previous * q).abs()).then(|| p / q)
}

/// Chosen: bisection alone needs at most 2,100 for ends of any size, Brent's steps some tens; R and
/// Kayenta stop after as many.
const MAX_STEPS: u32 = 1_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::{cos, exp};

    #[test]
    fn roots_of_smooth_functions_agree_with_their_closed_forms() {
        // cos x = x at the Dottie number; e^x = 2 at ln 2; x^3 = 8.
        type Case = (fn(f64) -> f64, [f64; 2], f64);
        let cases: [Case; 3] = [
            (|x| cos(x) - x, [0.0, 1.0], 0.739_085_133_215_160_6),
            (|x| exp(x) - 2.0, [5.0, -3.0], std::f64::consts::LN_2),
            (|x| x * x * x - 8.0, [-10.0, 100.0], 2.0),
        ];
        for (function, ends, expected) in cases {
            let found = root(function, ends, 1e-12);
            assert!((found - expected).abs() < 2e-12, "{found} {expected}");
        }
    }

    #[test]
    fn a_jump_is_found_to_the_tolerance() {
        for tolerance in [1e-3, 1e-6, 1e-9] {
            let found = root(|x| if x < 0.3 { 5.0 } else { -1.0 }, [-7.0, 11.0], tolerance);
            assert!((found - 0.3).abs() <= tolerance, "{tolerance}: {found}");
        }
    }

    #[test]
    fn an_end_that_is_a_root_is_given_and_without_a_change_of_sign_the_nearer_end() {
        assert_eq!(root(|x| x - 2.0, [2.0, 5.0], 1e-9), 2.0);
        assert_eq!(root(|x| x - 5.0, [2.0, 5.0], 1e-9), 5.0);
        assert_eq!(root(|x| x + 1.0, [2.0, 5.0], 1e-9), 2.0);
        assert_eq!(root(|x| x - 9.0, [2.0, 5.0], 1e-9), 5.0);
    }

    #[test]
    fn the_steps_are_those_of_another_writing_of_the_algorithm() {
        // Visited by zeroin of R, written down anew in Python from its C source.
        let visited = std::cell::RefCell::new(Vec::new());
        let function = |x: f64| {
            visited.borrow_mut().push(x);
            (x - 1.0) * (1.0 + (x - 1.0) * (x - 1.0))
        };
        let found = root(function, [-2.0, 5.0], 1e-4);
        let expected = [
            -2.0,
            5.0,
            0.142_857_142_857_142_8,
            0.252_210_126_762_694_05,
            2.626_105_063_381_346_7,
            0.642_495_154_998_884_2,
            0.835_661_095_606_442_3,
            1.730_883_079_493_894_5,
            0.952_779_288_313_199_8,
            0.996_568_659_981_373_1,
            0.999_943_908_986_033_4,
            0.999_999_939_750_492_2,
            1.000_049_939_750_492_7,
        ];
        assert_eq!(found, 0.999_999_939_750_492_2);
        assert_eq!(*visited.borrow(), expected);
    }
}
