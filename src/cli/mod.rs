//! cli
mod disk;
use std::path::Path;
use std::process::ExitCode;
pub fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    let path = Path::new(&args[1]);
    let bytes = std::fs::read(path).unwrap();
    let settings: Vec<String> = args[2..].to_vec();
    let wd = std::env::current_dir().unwrap();
    let doc = crate::scenario::Document {
        path,
        bytes: &bytes,
        settings: &settings,
        working_directory: &wd,
        allow_outside: true,
    };
    let loaded = match crate::scenario::load(doc, &disk::Disk) {
        Ok(l) => l,
        Err(e) => {
            println!("{e}");
            return ExitCode::from(3);
        }
    };
    let t = std::time::Instant::now();
    let trace = match &loaded.scenario.traffic {
        crate::scenario::Traffic::Trace { path, .. } => Some(disk::open_trace(path).unwrap()),
        _ => None,
    };
    let r = crate::run::run_virtual(&loaded.scenario, loaded.scenario.seed, trace, &mut |_| {})
        .unwrap();
    let n: u64 = r.record.cells.iter().map(|c| c.tally.assigned).sum();
    let dt = t.elapsed().as_secs_f64();
    println!("{n} requests in {dt:.3} s: {:.2} M/s", n as f64 / dt / 1e6);
    println!("{:#?}", r.record.rollbacks);
    for c in &r.record.cells {
        println!(
            "{} {:?} {:?} assigned {} ok {} failed {:?} avg {:?} p99 {:?}",
            c.phase,
            c.version,
            c.arm,
            c.tally.assigned,
            c.tally.succeeded,
            c.tally.failed,
            c.tally.latency.mean(),
            c.tally.latency.quantile(990)
        );
    }
    println!("{:?}", r.record.blasts);
    println!("{:#?}", r.record.rules);
    println!("{:?}", r.trace.map(|t| t.accounting));
    ExitCode::SUCCESS
}
