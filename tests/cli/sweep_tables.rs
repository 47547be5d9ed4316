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

    use parquet::basic::{LogicalType, Repetition, Type as Physical};
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

    /// What a file says of a column's type.
    type Told = (Physical, Option<LogicalType>, Repetition);

    /// The first row of a table, by column, with the types.
    fn first_row(file: File) -> Vec<(String, Field, Told)> {
        let reader = SerializedFileReader::new(file).unwrap();
        let schema = reader.metadata().file_metadata().schema_descr_ptr();
        let types = schema.columns().iter().map(|column| {
            let repetition = column.self_type().get_basic_info().repetition();
            (column.physical_type(), column.logical_type_ref().cloned(), repetition)
        });
        let types: Vec<_> = types.collect();
        let row = reader.get_row_iter(None).unwrap().next().unwrap().unwrap();
        let fields = row.get_column_iter().zip(types);
        fields.map(|((name, field), told)| (name.clone(), field.clone(), told)).collect()
    }

    #[test]
    fn its_columns_have_types_and_a_run_without_a_rollback_never_had_one() {
        let place = place();
        let sweep = [&SWEEP[..], &["--out", "out"]].concat();
        assert_eq!(place.run(&sweep).code, 0);
        let file = || File::open(place.path("out/runs.parquet")).unwrap();
        let found = first_row(file());
        let text = (Physical::BYTE_ARRAY, Some(LogicalType::String), Repetition::OPTIONAL);
        let unsigned = LogicalType::integer(64, false);
        let count = (Physical::INT64, Some(unsigned), Repetition::OPTIONAL);
        let number = (Physical::DOUBLE, None, Repetition::OPTIONAL);
        let flag = (Physical::BOOLEAN, None, Repetition::REQUIRED);
        // Nothing fails in the first combination; the scenario's own seed is the first one.
        for (name, field, told) in [
            ("vars.failing", Field::Str("0%".to_owned()), text.clone()),
            ("cell", Field::ULong(0), count.clone()),
            ("seed", Field::ULong(7), count.clone()),
            ("false_rollbacks", Field::ULong(0), count),
            ("trigger", Field::Null, text),
            ("rolled_back_after_seconds", Field::Double(f64::INFINITY), number.clone()),
            ("time_to_detect_seconds", Field::Double(f64::INFINITY), number),
            ("open_ended", Field::Bool(false), flag),
        ] {
            let column = found.iter().find(|(found, ..)| found == name).unwrap();
            assert_eq!((&column.1, &column.2), (&field, &told), "{name}");
        }
        assert_eq!(place.run(&[&SWEEP[..], &["--jobs", "1", "--out", "again"]].concat()).code, 0);
        for table in ["runs", "cells"] {
            let [one, other] = ["out", "again"].map(|folder| {
                std::fs::read(place.path(folder).join(format!("{table}.parquet"))).unwrap()
            });
            assert!(one == other, "{table}");
        }
    }

    #[test]
    fn rare_runs_have_weights() {
        let place = place();
        let failing = "models.m.versions.v2.upstream={latency: 200ms, failures: {'500': 1%}}";
        let arguments =
            ["sweep", "small.yaml", "--seeds", "200", "--set", failing, "--set", "phases.0.for=2m"];
        let more = ["--rare", "--no-charts", "--parquet", "--out", "out"];
        let ended = place.run(&[&arguments[..], &more].concat());
        let file = File::open(place.path("out/runs.parquet"))
            .unwrap_or_else(|_| panic!("{}", ended.stderr));
        let row = first_row(file);
        let names: Vec<&str> = row.iter().map(|(name, ..)| name.as_str()).collect();
        let expected = [
            "cell",
            "seed",
            "false_rollbacks",
            "trigger",
            "rolled_back_after_seconds",
            "requests",
            "ln_weight",
            "ln_probability",
        ];
        assert_eq!(names, expected);
        let of = |name: &str| &row.iter().find(|(found, ..)| found == name).unwrap().1;
        assert!(matches!(of("ln_weight"), Field::Double(weight) if weight.is_finite()), "{row:?}");
        assert_eq!(of("ln_probability"), &Field::Null);
    }
}
