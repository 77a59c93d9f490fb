//! What people would use in place of a task, in the tables T1, T2 and T4.
//!
//! Each is launched with a native program that ends at once (or its counterpart), and in turns with the others, so that
//! none is measured in a better minute. One that is not there, or fails, is a row that says so.

use anyhow::{Context, Result};
use rolebox_bench_baselines::{Baseline, Inputs as BaselineInputs, Missing, all};
use rolebox_bench_report::rows::{Status, Unit};

use crate::bench::{Bench, Turn};
use crate::inputs::{Inputs, root};
use crate::tables::crowds::{CROWDS, at_once};

/// Those of which many at once are worth their time.
const IN_CROWDS: [&str; 3] = ["bubblewrap", "crun", "runc"];

/// A baseline that is worth fewer launches than this takes seconds for one.
const SLOW: usize = 10;

/// One that is worth more has ten launches in a turn.
const FAST: usize = 100;

/// Bytes of a path below which sockets have room: 107 is what one's path may have.
const MOST_PATH: usize = 40;

/// How often a launch may fail in one process before its baseline is given up.
const TRIES: usize = 2;

/// The baselines, and the folder that they work in, which ends with them.
struct Baselines {
    all: Vec<Box<dyn Baseline>>,
    _work: tempfile::TempDir,
}

impl Baselines {
    fn new(inputs: &Inputs) -> Result<Self> {
        // On the disk that the bench is on, since a cold page cache is to be had there; where its path is too long for
        // the sockets that are made below, where the system has its temporary files.
        let target = root().join("target");
        let work =
            if target.as_os_str().len() < MOST_PATH { tempfile::tempdir_in(target) } else { tempfile::tempdir() };
        let work = work.context("a folder for the baselines")?;
        let all = all(&BaselineInputs {
            programs: inputs.programs(),
            work: work.path().to_owned(),
            prefix: root().join("target/baselines"),
            path: std::env::var_os("PATH").unwrap_or_default(),
        });
        Ok(Self { all, _work: work })
    }
}

fn status(missing: &Missing) -> Status {
    match missing {
        Missing::NotInstalled(_) => Status::NotInstalled,
        Missing::NotPossible(_) => Status::NotPossible,
    }
}

/// Names and versions of those that are there.
pub(crate) fn versions(inputs: &Inputs) -> Vec<(String, String)> {
    let Ok(baselines) = Baselines::new(inputs) else { return Vec::new() };
    let known = baselines.all.iter().filter_map(|baseline| Some((baseline.name(), baseline.version().ok()?)));
    known.map(|(name, version)| (name.to_owned(), version)).collect()
}

/// T1.
pub(super) fn launch(bench: &mut Bench) -> Result<()> {
    let baselines = Baselines::new(&bench.inputs)?;
    let rounds = bench.choose(6, 2);
    let mut all: Vec<Launches> = baselines.all.iter().map(|baseline| Launches::new(baseline.as_ref())).collect();
    for round in 0..rounds {
        for launches in &mut all {
            let slow = launches.baseline.most() < SLOW;
            if !slow || round == 0 && !(bench.quick && bench.process > 0) {
                launches.turn(round == 0 && !slow);
            }
        }
    }
    all.into_iter().try_for_each(|launches| launches.report(bench))
}

/// The launches of one baseline in this process.
struct Launches<'a> {
    baseline: &'a dyn Baseline,
    samples: Vec<f64>,
    failures: Vec<Missing>,
}

impl<'a> Launches<'a> {
    fn new(baseline: &'a dyn Baseline) -> Self {
        Self { baseline, samples: Vec::new(), failures: Vec::new() }
    }

    /// Some launches, ten of those that are fast. Of one that has failed as often as is tried, none.
    fn turn(&mut self, warm_up: bool) {
        let count = if self.baseline.most() >= FAST { 10 } else { 1 };
        for launch in 0..count + usize::from(warm_up) {
            if self.failures.len() >= TRIES || self.samples.is_empty() && !self.failures.is_empty() {
                return;
            }
            match self.baseline.launch() {
                Ok(_) if warm_up && launch == 0 => {}
                Ok(took) => self.samples.push(took.as_secs_f64()),
                Err(missing) => self.failures.push(missing),
            }
        }
    }

    fn report(self, bench: &mut Bench) -> Result<()> {
        let name = self.baseline.name();
        let mut note = self.baseline.version().unwrap_or_default();
        match self.failures.last() {
            Some(missing) if self.samples.is_empty() => {
                return bench.missing(name, Unit::Seconds, status(missing), &missing.to_string());
            }
            Some(missing) => note = format!("{note}; {} launches failed: {missing}", self.failures.len()),
            // A quick run launches slow ones in its first process alone.
            None if self.samples.is_empty() => return Ok(()),
            None => {}
        }
        bench.noted(name, Unit::Seconds, self.samples, &note)
    }
}

/// T2.
pub(super) fn crowds(bench: &mut Bench) -> Result<()> {
    let baselines = Baselines::new(&bench.inputs)?;
    for baseline in baselines.all.iter().filter(|baseline| IN_CROWDS.contains(&baseline.name())) {
        let (name, launch) = (baseline.name(), || baseline.launch().map(drop));
        if let Err(missing) = launch() {
            for crowd in CROWDS {
                let row = format!("{name}, {crowd} at once");
                bench.missing(&row, Unit::Seconds, status(&missing), &missing.to_string())?;
            }
            continue;
        }
        for crowd in CROWDS {
            let row = format!("{name}, {crowd} at once");
            let mut turn = Turn::default();
            let rounds = bench.choose(16_usize.div_ceil(crowd), 2_usize.div_ceil(crowd));
            let launched = (0..rounds).try_for_each(|_| at_once(crowd, &row, &mut turn, || Ok(launch()?)));
            match launched {
                Ok(()) => bench.samples(&row, Unit::Seconds, turn.values())?,
                Err(error) => bench.missing(&row, Unit::Seconds, Status::NotPossible, &format!("{error:#}"))?,
            }
        }
    }
    Ok(())
}

/// T4.
pub(super) fn idle(bench: &mut Bench) -> Result<()> {
    // Seconds of starting, for one number each.
    if bench.quick && bench.process > 0 {
        return Ok(());
    }
    let baselines = Baselines::new(&bench.inputs)?;
    for baseline in &baselines.all {
        let row = |what: &str| format!("idle {}: memory ({what})", baseline.name());
        // A plain process is measured by the hundred.
        if baseline.name().starts_with("process") {
            continue;
        }
        match baseline.idle() {
            None => {}
            Some(Err(missing)) => bench.missing(&row("PSS"), Unit::Bytes, status(&missing), &missing.to_string())?,
            Some(Ok(idle)) => {
                let memory = match idle.memory() {
                    Ok(memory) => memory,
                    Err(error) => {
                        let reason = format!("its processes cannot be weighed: {error}");
                        bench.missing(&row("PSS"), Unit::Bytes, Status::NotPossible, &reason)?;
                        continue;
                    }
                };
                let note = format!("of all processes that are there because of it: {}", idle.pids().len());
                bench.noted(&row("PSS"), Unit::Bytes, vec![memory.pss as f64], &note)?;
                bench.samples(&row("RSS"), Unit::Bytes, vec![memory.rss as f64])?;
            }
        }
    }
    Ok(())
}
