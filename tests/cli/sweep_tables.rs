//! The tables of a sweep in Apache Parquet: only in a build with that feature, and what CSV has.

use crate::sweeps::place;

const SWEEP: [&str; 10] = [
    "sweep",
    "small.yaml",
    "--seeds",
    "12",
    "--vary",
    "vars.failing=0%,40%",
    "--no-charts",
    "--parquet",
    "--fail-on",
    "fail",
];

#[cfg(not(feature = "parquet"))]
#[test]
fn a_build_without_parquet_says_so_before_anything_is_run() {
    let place = place();
    let ended = place.run(&[&SWEEP[..], &["--out", "out"]].concat());
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""));
    assert!(ended.stderr.contains("cargo install --features parquet"), "{}", ended.stderr);
    assert!(!place.path("out").exists());
}

#[test]
fn parquet_goes_into_a_folder() {
    let ended = place().run(&SWEEP);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("--out <DIR>"), "{}", ended.stderr);
}

#[cfg(feature = "parquet")]
mod parquet_files {
    use std::fs::File;

    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;

    use super::*;

    /// As CSV has it.
    fn told(field: &Field) -> String {
        match field {
            Field::Null => String::new(),
            Field::Bool(flag) => flag.to_string(),
            Field::ULong(count) => count.to_string(),
            Field::Double(number) => number.to_string(),
            Field::Str(text) => text.clone(),
            other => panic!("a field of another type: {other:?}"),
        }
    }

    #[test]
    fn its_tables_are_those_of_the_csv() {
        let place = place();
        let ended = place.run(&[&SWEEP[..], &["--out", "out"]].concat());
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
        for table in ["runs", "cells"] {
            let csv = place.read(&format!("out/{table}.csv"));
            let mut csv = csv::Reader::from_reader(csv.as_bytes());
            let names: Vec<String> = csv.headers().unwrap().iter().map(str::to_owned).collect();
            let file = File::open(place.path(&format!("out/{table}.parquet"))).unwrap();
            let reader = SerializedFileReader::new(file).unwrap();
            let mut rows = reader.get_row_iter(None).unwrap();
            let mut count = 0;
            for record in csv.records() {
                let expected: Vec<String> = record.unwrap().iter().map(str::to_owned).collect();
                let row = rows.next().unwrap().unwrap();
                let (found, values): (Vec<_>, Vec<_>) =
                    row.get_column_iter().map(|(name, field)| (name.clone(), told(field))).unzip();
                assert_eq!((&found, values), (&names, expected));
                count += 1;
            }
            assert!(rows.next().is_none());
            assert_eq!(count, if table == "runs" { 24 } else { 2 });
        }
    }
}
