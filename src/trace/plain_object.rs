//! JSON objects of plain whole numbers, taken apart in one pass over their bytes.
//!
//! Traces have millions of them, and a parser for all of JSON takes several times as long. Whatever
//! is not as plain is left to that parser: here it is no object at all, never an error.

/// What a key of a plain object has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Member {
    /// A whole number.
    Number(u64),
    /// A list of whole numbers, which were appended to those before.
    List,
}

/// Hands each member of the object on `line` to `take`, appending the numbers of lists to `list`.
/// `None` where the line is not one object whose keys are without escapes and whose values are
/// whole numbers or lists of them, or where `take` does not go on.
pub(super) fn members(
    line: &str,
    list: &mut Vec<u64>,
    mut take: impl FnMut(&str, Member) -> Option<()>,
) -> Option<()> {
    let mut cursor = Cursor { line, at: 0 };
    cursor.expect(b'{')?;
    loop {
        let key = cursor.key()?;
        cursor.expect(b':')?;
        let member = if cursor.peek()? == b'[' {
            cursor.list(list)?;
            Member::List
        } else {
            Member::Number(cursor.number()?)
        };
        take(key, member)?;
        match cursor.next()? {
            b',' => {}
            b'}' => break,
            _ => return None,
        }
    }
    cursor.peek().is_none().then_some(())
}

struct Cursor<'a> {
    line: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    /// The next byte that is no space.
    fn peek(&mut self) -> Option<u8> {
        loop {
            match *self.line.as_bytes().get(self.at)? {
                b' ' | b'\t' => self.at += 1,
                byte => return Some(byte),
            }
        }
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then_some(())
    }

    fn key(&mut self) -> Option<&'a str> {
        self.expect(b'"')?;
        let rest = &self.line[self.at..];
        let end = rest.bytes().position(|byte| byte == b'"' || byte == b'\\')?;
        self.at += end + 1;
        (rest.as_bytes()[end] == b'"').then_some(&rest[..end])
    }

    /// As JSON has them: without a sign, and without a 0 in front of others.
    fn number(&mut self) -> Option<u64> {
        self.peek()?;
        let rest = &self.line.as_bytes()[self.at..];
        let mut value = 0_u64;
        let mut length = 0;
        while let Some(digit) = rest.get(length).map(|byte| byte.wrapping_sub(b'0'))
            && digit <= 9
        {
            value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
            length += 1;
        }
        // Nineteen digits never overflow; of more, the parser of standard numbers knows.
        if length > 19 {
            value = self.line[self.at..self.at + length].parse().ok()?;
        }
        let is_plain = length == 1 || length > 1 && rest[0] != b'0';
        // What goes on is a fraction, an exponent, or no number.
        let ends = matches!(rest.get(length), Some(b',' | b']' | b'}' | b' ' | b'\t'));
        self.at += length;
        (is_plain && ends).then_some(value)
    }

    fn list(&mut self, numbers: &mut Vec<u64>) -> Option<()> {
        self.expect(b'[')?;
        if self.peek()? == b']' {
            self.at += 1;
            return Some(());
        }
        loop {
            numbers.push(self.number()?);
            match self.next()? {
                b',' => {}
                b']' => return Some(()),
                _ => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The members and the numbers of the lists.
    type Taken = (Vec<(String, Member)>, Vec<u64>);

    fn taken(line: &str) -> Option<Taken> {
        let (mut found, mut list) = (Vec::new(), Vec::new());
        members(line, &mut list, |key, member| {
            found.push((key.to_owned(), member));
            Some(())
        })?;
        Some((found, list))
    }

    #[test]
    fn plain_objects_are_taken_apart_and_others_are_none() {
        let (found, list) =
            taken("{\"a\": 0, \"b\":[], \"c\": [ 7 ,18446744073709551615 ] }").unwrap();
        let expected = [("a", Member::Number(0)), ("b", Member::List), ("c", Member::List)];
        assert_eq!(found, expected.map(|(key, member)| (key.to_owned(), member)));
        assert_eq!(list, [7, u64::MAX]);
        for line in [
            "",
            "{",
            "{}",
            "[1]",
            "{\"a\":1",
            "{\"a\":1}x",
            "{\"a\":-1}",
            "{\"a\":1.5}",
            "{\"a\":1e3}",
            "{\"a\":01}",
            "{\"a\":\"1\"}",
            "{\"a\":[1,]}",
            "{\"a\":[1 2]}",
            "{\"a\":1,}",
            "{a:1}",
            "{\"a\\u0041\":1}",
            "{\"a\":18446744073709551616}",
            "{\"a\":}",
            "{\"a\":null}",
            "{\"é",
        ] {
            assert_eq!(taken(line), None, "{line}");
        }
    }
}
