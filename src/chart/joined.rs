//! Neighbours of one kind and look in an SVG as one element: an hour with a gap in every minute is
//! one path, not sixty lines.
//!
//! Reads what the backend writes: one element a line, the corners of lines and polygons last in it.

/// `elements` with polylines, and polygons, that follow each other and differ in their corners only
/// made one path.
pub(super) fn joined(elements: &str) -> String {
    let mut joined = String::with_capacity(elements.len());
    let mut open: Option<Run<'_>> = None;
    for line in elements.lines() {
        match (&mut open, Corners::of(line)) {
            (Some(run), Some(corners)) if run.first.head == corners.head => {
                run.others.push(corners.points);
            }
            (_, corners) => {
                open.take().into_iter().for_each(|run: Run<'_>| run.write(&mut joined));
                match corners {
                    Some(first) => open = Some(Run { line, first, others: Vec::new() }),
                    None => joined.extend([line, "\n"]),
                }
            }
        }
    }
    open.into_iter().for_each(|run| run.write(&mut joined));
    joined
}

/// A line or a polygon.
struct Corners<'a> {
    /// Everything before its corners.
    head: &'a str,
    points: &'a str,
}

impl<'a> Corners<'a> {
    fn of(line: &'a str) -> Option<Self> {
        let (head, rest) = line.split_once(" points=\"")?;
        let points = rest.strip_suffix("\"/>")?.trim_end();
        Some(Self { head, points })
    }
}

/// Elements that follow each other.
struct Run<'a> {
    /// The first as it stands.
    line: &'a str,
    first: Corners<'a>,
    /// The corners of the others.
    others: Vec<&'a str>,
}

impl Run<'_> {
    fn write(self, to: &mut String) {
        let Self { line, first: Corners { head, points }, others } = self;
        let (attributes, end) = match (head.strip_prefix("<polyline"), others.is_empty()) {
            (_, true) => return to.extend([line, "\n"]),
            (Some(attributes), false) => (attributes, ""),
            (None, false) => (head.trim_start_matches("<polygon"), "Z"),
        };
        to.extend(["<path", attributes, " d=\""]);
        for points in std::iter::once(points).chain(others) {
            to.extend(["M", points, end]);
        }
        to.push_str("\"/>\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_of_one_look_are_one_path() {
        let elements = "<polyline stroke=\"a\" points=\"1,2 3,4 \"/>\n\
                        <polyline stroke=\"a\" points=\"5,6 7,8 \"/>\n\
                        <polygon fill=\"b\" points=\"1,1 2,2 3,3 \"/>\n\
                        <polygon fill=\"b\" points=\"4,4 5,5 6,6 \"/>\n";
        assert_eq!(
            joined(elements),
            "<path stroke=\"a\" d=\"M1,2 3,4M5,6 7,8\"/>\n\
             <path fill=\"b\" d=\"M1,1 2,2 3,3ZM4,4 5,5 6,6Z\"/>\n"
        );
    }

    #[test]
    fn what_lies_between_keeps_its_place() {
        let elements = "<polygon fill=\"b\" points=\"1,1 2,2 3,3 \"/>\n\
                        <text x=\"1\">\nword points=\"\n</text>\n\
                        <polygon fill=\"b\" points=\"1,1 2,2 3,3 \"/>\n\
                        <polygon fill=\"c\" points=\"1,1 2,2 3,3 \"/>\n";
        assert_eq!(joined(elements), elements);
    }
}
