//! Dashes: the pieces of a line that are drawn where a backend knows no dashes of its own.

use super::canvas::Point;
use super::palette::Dash;

/// Cuts a line into the pieces that its drawn and blank lengths leave of it, each of two points or
/// more.
pub(super) fn dashes(points: &[Point], dash: Dash) -> Vec<Vec<Point>> {
    let pattern = dash.pattern();
    let [first, ..] = pattern else { return vec![points.to_vec()] };
    let mut pieces = Vec::new();
    let mut piece: Vec<Point> = points.first().copied().into_iter().collect();
    let (mut index, mut left) = (0, *first);
    for pair in points.windows(2) {
        let (mut from, to) = (pair[0], pair[1]);
        let mut length = distance(from, to);
        while length > left {
            let part = left / length;
            from = (from.0 + (to.0 - from.0) * part, from.1 + (to.1 - from.1) * part);
            length -= left;
            if index % 2 == 0 {
                piece.push(from);
                pieces.push(std::mem::take(&mut piece));
            } else {
                piece.push(from);
            }
            index = (index + 1) % pattern.len();
            left = pattern[index];
        }
        left -= length;
        if index % 2 == 0 {
            piece.push(to);
        }
    }
    pieces.push(piece);
    pieces.retain(|piece| piece.len() > 1);
    pieces
}

fn distance(from: Point, to: Point) -> f64 {
    let (x, y) = (to.0 - from.0, to.1 - from.1);
    (x * x + y * y).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_go_on_around_corners() {
        let corner = [(0.0, 0.0), (12.0, 0.0), (12.0, 20.0)];
        let pieces = dashes(&corner, Dash::Dashed);
        assert_eq!(Dash::Dashed.pattern(), [9.0, 6.0]);
        let expected = [
            vec![(0.0, 0.0), (9.0, 0.0)],
            vec![(12.0, 3.0), (12.0, 12.0)],
            vec![(12.0, 18.0), (12.0, 20.0)],
        ];
        assert_eq!(pieces, expected);
    }

    #[test]
    fn a_solid_line_is_one_piece_and_a_point_is_none() {
        let line = [(0.0, 0.0), (3.0, 4.0)];
        assert_eq!(dashes(&line, Dash::Solid), [line]);
        assert!(dashes(&line[..1], Dash::Dotted).is_empty());
    }
}
