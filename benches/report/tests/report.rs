//! A report with everything that a report can hold, in its three forms.
//!
//! It writes them to folders in `target/tmp` for looking at.

use std::path::Path;

use serde_json::Value;

use rolebox_bench_report::rows::{Row, Status, Table, Unit, merge};
use rolebox_bench_report::{Machine, Report};

fn machine() -> Machine {
    let pairs =
        |pairs: &[(&str, &str)]| pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Machine {
        cpu: "Example CPU 8275CL @ 3.00GHz".to_owned(),
        cores: 2,
        memory: 8_123_456_789,
        kernel: "Linux 6.8.0-1021-aws".to_owned(),
        virtual_machine: Some(true),
        date: "2025-11-30T12:00:00Z".to_owned(),
        commit: "0123456789ab-dirty".to_owned(),
        versions: pairs(&[("rustc", "1.91.0"), ("wasmtime", "48.0.8"), ("runc", "1.3.0"), ("<docker>", "28 & more")]),
        settings: pairs(&[
            ("profile", "bench"),
            ("features", "compiler,pooling"),
            ("epochs", "10 ms"),
            ("fuel", "off"),
            ("max_map_count", "65530"),
        ]),
    }
}

/// Numbers between 0 and 1 that are the same in every run.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Around `middle`, with a tail to the right, in five processes that differ by `between`.
    fn samples(&mut self, middle: f64, spread: f64, between: f64, count: usize) -> Vec<Vec<f64>> {
        (0..5)
            .map(|_| {
                let middle = middle * (1.0 + between * (self.next() - 0.5));
                let sample = |chance: &mut Self| {
                    let tail = if chance.next() > 0.97 { 1.0 + spread * 6.0 * chance.next() } else { 1.0 };
                    middle * (1.0 + spread * (chance.next() + chance.next() + chance.next() - 1.5)) * tail
                };
                (0..count).map(|_| sample(self)).collect()
            })
            .collect()
    }
}

fn rows() -> Vec<Row> {
    let mut chance = Chance(7);
    let mut rows = Vec::new();
    let mut add = |table, name: &str, unit, middle, spread, between, count| {
        for samples in chance.samples(middle, spread, between, count) {
            merge(&mut rows, Row::measured(table, name, unit, samples));
        }
    };
    let stages =
        ["compile", "load", "link", "instantiate", "first call", "whole launch", "whole launch, <cold> & cached"];
    for (index, limits) in ["no limits", "epochs", "fuel", "epochs and fuel, memory limit of 64 MiB"].iter().enumerate()
    {
        for (stage, name) in stages.iter().enumerate() {
            let middle = 4e-6 * 3f64.powi(stage as i32) * (1.0 + index as f64 * 0.1);
            add(Table::T1, &format!("{name} | {limits}"), Unit::Seconds, middle, 0.1, 0.05, 200);
        }
    }
    for (name, middle) in [("fork and exec, static", 4e-4), ("runc", 9e-2), ("docker run", 0.6), ("unshare", 2e-3)] {
        add(Table::T1, name, Unit::Seconds, middle, 0.2, 0.7, 40);
    }
    for count in [1, 4, 16, 64] {
        add(Table::T2, &format!("{count} at once"), Unit::Seconds, 1e-4 * f64::from(count), 0.3, 0.1, 100);
    }
    for cores in [1, 2] {
        add(Table::T3, &format!("threads, {cores} cores"), Unit::PerSecond, 9e3 * f64::from(cores), 0.03, 0.02, 10);
        add(Table::T3, &format!("processes, {cores} cores"), Unit::PerSecond, 7e3 * f64::from(cores), 0.03, 0.02, 10);
    }
    add(Table::T4, "PSS of an idle task", Unit::Bytes, 180e3, 0.02, 0.02, 20);
    add(Table::T4, "RSS of an idle task", Unit::Bytes, 210e3, 0.02, 0.02, 20);
    add(Table::T4, "PSS of an idle process", Unit::Bytes, 5.1e6, 0.02, 0.02, 20);
    add(Table::T4, "idle tasks at the point of failure", Unit::Count, 10_922.0, 0.0, 0.0, 1);
    for (kernel, middle) in [("sha256", 4e8), ("memcpy", 9e9), ("json", 9e7)] {
        add(Table::T5, &format!("{kernel}, native"), Unit::BytesPerSecond, middle, 0.02, 0.02, 30);
        add(Table::T5, &format!("{kernel}, wasm"), Unit::BytesPerSecond, middle / 1.4, 0.02, 0.02, 30);
        add(Table::T5, &format!("{kernel}, wasm with fuel, to native"), Unit::Ratio, 1.6, 0.04, 0.04, 30);
        add(Table::T5, &format!("{kernel}, wasm with epochs, to native"), Unit::Ratio, 1.1, 0.2, 0.04, 30);
    }
    add(Table::T6, "no-op call", Unit::Seconds, 36e-9, 0.05, 0.02, 300);
    add(
        Table::T6,
        "a call with a list of 64 KiB, which is copied from the guest's memory to that of the host and \
        back again, with a name that is far too long for any plot to hold it whole",
        Unit::Seconds,
        91e-9,
        0.05,
        0.02,
        300,
    );
    add(Table::T7, "GetObject, SDK native", Unit::Seconds, 1.1e-3, 0.2, 0.1, 100);
    add(Table::T7, "GetObject, guest SDK", Unit::Seconds, 1.3e-3, 0.2, 0.1, 100);
    add(Table::T8, "capability check", Unit::Seconds, 3e-7, 0.2, 0.1, 100);
    add(Table::T8, "AssumeRole, cold", Unit::Seconds, 3e-3, 0.2, 0.1, 50);
    add(Table::T9, "S3 put, alone", Unit::Seconds, 1e-3, 0.4, 0.1, 400);
    add(Table::T9, "S3 put beside a spinning neighbour", Unit::Seconds, 2e-3, 0.6, 0.9, 400);
    add(Table::T10, "memory limit", Unit::Bytes, 0.0, 0.0, 0.0, 5);
    rows.push(Row::measured(Table::T10, "time limit", Unit::Seconds, vec![0.0, 1e-6, 2e-3, 8e-3, 5e-5]));
    rows.push(Row::measured(Table::T10, "a limit that no clock measured", Unit::Seconds, vec![f64::NAN]));
    let missing = |table, name, unit, status, reason| Row::missing(table, name, unit, status, reason);
    rows.push(missing(Table::T1, "firecracker", Unit::Seconds, Status::NotPossible, "no <kvm> | & no /dev/kvm"));
    rows.push(missing(Table::T1, "spin", Unit::Seconds, Status::NotInstalled, "`spin` is not on the path"));
    rows.push(missing(Table::T8, "1,000 tasks at once", Unit::Count, Status::NotPossible, "memory ran out"));
    rows[0].note = Some("with <b>Cranelift</b> | and its cache off".to_owned());
    rows
}

fn report(quick: bool) -> Report {
    Report { machine: machine(), rows: rows(), quick, took: 754.2 }
}

fn written(report: &Report, name: &str) -> [String; 3] {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("report-{name}"));
    let paths = report.write(&folder).expect("a folder that can be written");
    let names: Vec<_> = paths.iter().map(|path| path.file_name().expect("a file").to_owned()).collect();
    assert_eq!(names, ["report.json", "report.md", "report.html"]);
    let texts: Vec<_> = paths.iter().map(|path| std::fs::read_to_string(path).expect("what was written")).collect();
    texts.try_into().expect("three")
}

#[test]
fn a_report_of_every_kind_renders() {
    let report = report(false);
    let [json, markdown, html] = written(&report, "whole");
    check_json(&report, &json);
    check_markdown(&report, &markdown);
    check_html(&report, &html);
}

fn check_json(report: &Report, json: &str) {
    let json: Value = serde_json::from_str(json).expect("JSON");
    assert_eq!((&json["schema"], &json["quick"], &json["took"]), (&1.into(), &false.into(), &754.2.into()));
    let machine: Machine = serde_json::from_value(json["machine"].clone()).expect("the machine");
    assert_eq!(machine, report.machine);
    let rows = json["rows"].as_array().expect("rows");
    assert_eq!(rows.len(), report.rows.len());
    for (row, known) in rows.iter().zip(&report.rows) {
        let keys: Vec<&str> = row.as_object().expect("an object").keys().map(String::as_str).collect();
        let mut expected = vec!["name", "processes", "samples", "status", "table", "unit"];
        if known.status == Status::Measured {
            expected.extend(["ci95", "median", "p10", "p90", "p99", "wide"]);
        } else {
            expected.push("reason");
        }
        expected.extend(known.note.as_ref().map(|_| "note"));
        expected.sort_unstable();
        let mut sorted = keys.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, expected, "{}", known.name);

        assert_eq!(row["table"], known.table.to_string());
        assert_eq!(row["name"], known.name);
        assert_eq!(row["unit"], known.unit.symbol());
        assert_eq!(row["status"], known.status.in_words());
        assert_eq!(row["reason"].as_str(), known.reason.as_deref());
        assert_eq!(row["note"].as_str(), known.note.as_deref());
        let mut samples = row["samples"].as_array().expect("samples").iter();
        let counts = row["processes"].as_array().expect("counts").iter().map(|count| count.as_u64().expect("a count"));
        let again: Vec<Vec<f64>> = counts
            .map(|count| {
                samples.by_ref().take(count as usize).map(|value| value.as_f64().unwrap_or(f64::NAN)).collect()
            })
            .collect();
        assert!(alike(&again, &known.samples), "{}: the samples cannot be split again", known.name);
        assert_eq!(samples.next(), None);
        if let Some(summary) = known.summary().filter(|summary| summary.median.is_finite()) {
            let number = |value: &Value| value.as_f64().expect("a number");
            let numbers = vec![vec![number(&row["median"]), number(&row["ci95"][0]), number(&row["ci95"][1])]];
            assert!(alike(&numbers, &[vec![summary.median, summary.ci95[0], summary.ci95[1]]]), "{}", known.name);
            assert_eq!(row["wide"], summary.is_wide());
        }
    }
}

/// Whether both are the same but for the last digit, which serde_json does not read exactly.
fn alike(some: &[Vec<f64>], others: &[Vec<f64>]) -> bool {
    let alike = |(one, other): (&f64, &f64)| {
        (one.is_nan() && other.is_nan()) || (one - other).abs() <= one.abs() * 2.0 * f64::EPSILON
    };
    some.len() == others.len()
        && some.iter().zip(others).all(|(one, other)| one.len() == other.len() && one.iter().zip(other).all(alike))
}

fn check_markdown(report: &Report, markdown: &str) {
    for table in Table::ALL {
        assert!(markdown.contains(&format!("### {table}. {}", table.title())));
        assert!(markdown.contains(table.about()));
    }
    let lines: Vec<&str> = markdown.lines().filter(|line| line.starts_with('|')).collect();
    assert_eq!(lines.len(), report.rows.len() + 2 * Table::ALL.len(), "a line a row, and two for each head");
    for line in lines {
        assert_eq!(line.replace(r"\|", "").matches('|').count(), 7, "{line}");
    }
    assert!(markdown.contains(r"| firecracker | not possible here: no &lt;kvm> \| &amp; no /dev/kvm |"));
    assert!(markdown.contains(r"| spin | not installed: \`spin\` is not on the path |"));
    assert!(markdown.contains("(**interval wide**)"));
    assert!(markdown.contains("200 × 5 |"));
    assert!(markdown.contains("- Kernel: Linux 6.8.0-1021-aws\n"));
    assert!(!markdown.contains("quick run"));
}

fn check_html(report: &Report, html: &str) {
    let drawn = html.matches("<svg class=\"wide\" role=\"img\" aria-label=\"").count();
    assert_eq!(html.matches("<svg class=\"narrow\" role=\"img\"").count(), drawn);
    assert_eq!(html.matches("</svg>").count(), 2 * drawn);
    assert_eq!(html.matches("<th scope=\"row\">").count(), report.rows.len());
    for outside in
        ["<script", "src=", "http://", "https://", "url(", "<kvm>", "<cold>", "<b>Cranelift", "<docker>", "NaN,"]
    {
        assert!(!html.contains(outside), "{outside}");
    }
    assert!(html.contains("not possible here: no &lt;kvm&gt; | &amp; no /dev/kvm"));
    assert!(html.contains("interval wide</strong>"));
    assert!(html.contains("lang=\"en\""));
    assert!(!html.contains("class=\"banner\""));
    let mut level = 1;
    for heading in html.match_indices("<h").filter_map(|(at, _)| html[at + 2..].chars().next()?.to_digit(10)) {
        assert!(heading <= level + 1, "a level is left out");
        level = heading;
    }
    // Every colour that is drawn has a rule, both as fill and as stroke.
    for attribute in ["fill", "stroke"] {
        for (at, start) in html.match_indices(&format!(" {attribute}=\"#")) {
            let colour = &html[at + start.len() - 1..][..7];
            assert!(html.contains(&format!("svg [{attribute}=\"{colour}\"]{{{attribute}:var(--")), "{colour}");
        }
    }
}

#[test]
fn a_quick_run_says_that_it_is_one() {
    let [json, markdown, html] = written(&report(true), "quick");
    assert!(json.contains("\"quick\": true"));
    assert!(markdown.contains("> **This was a quick run. Its numbers are for a look and not to be quoted.**"));
    assert!(html.contains("class=\"banner\"") && html.contains("not to be quoted"));
}

#[test]
fn a_report_of_nothing_renders() {
    let report = Report { rows: Vec::new(), ..report(false) };
    let [json, _, html] = written(&report, "empty");
    assert!(serde_json::from_str::<Value>(&json).expect("JSON")["rows"].as_array().is_some_and(Vec::is_empty));
    assert!(html.contains("Not in this run: T1 (Launch), T2"));
}

/// The schema that is written down is the one that is written.
#[test]
fn the_documentation_has_every_key_and_every_table() {
    let documentation = include_str!("../../REPORT.md");
    let (_, example) = documentation.split_once("```json\n").expect("an example");
    let (example, _) = example.split_once("```").expect("its end");
    let example: Value = serde_json::from_str(example).expect("JSON");
    let [json, ..] = written(&report(true), "documented");
    let json: Value = serde_json::from_str(&json).expect("JSON");
    let keys = |value: &Value| {
        let mut keys: Vec<String> = value.as_object().expect("an object").keys().cloned().collect();
        keys.sort_unstable();
        keys
    };
    assert_eq!(keys(&example), keys(&json));
    assert_eq!(keys(&example["machine"]), keys(&json["machine"]));
    let written: Vec<_> = json["rows"].as_array().expect("rows").iter().map(keys).collect();
    for row in example["rows"].as_array().expect("rows") {
        assert!(written.contains(&keys(row)), "{row}");
    }
    for row in &written {
        for key in row {
            assert!(documentation.contains(&format!("`{key}`")), "{key}");
        }
    }
    for key in keys(&example).into_iter().chain(keys(&example["machine"])) {
        assert!(documentation.contains(&format!("`{key}`")), "{key}");
    }
    for table in Table::ALL {
        assert!(documentation.contains(&format!("| {table} | {} | {}", table.title(), table.about())), "{table}");
    }
}
