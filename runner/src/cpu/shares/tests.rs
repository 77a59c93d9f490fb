//! The shares on a virtual clock: cores that compute for exactly as long as they are told.

use super::*;

const MILLISECOND: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MILLISECOND;
/// The longest turn, as the engine's epoch gives it.
const TICK: u64 = 10 * MILLISECOND;

/// What a simulated task does.
#[derive(Debug, Clone, Copy)]
struct Spec {
    weight: u32,
    cap: Option<u32>,
    from: u64,
    /// Computes for so long, then waits for so long; `None` never waits.
    rhythm: Option<(u64, u64)>,
}

fn spins(weight: u32) -> Spec {
    Spec { weight, cap: None, from: 0, rhythm: None }
}

impl Spec {
    fn capped(self, cap: u32) -> Self {
        Self { cap: Some(cap), ..self }
    }

    fn from(self, from: u64) -> Self {
        Self { from, ..self }
    }

    fn waits(self, compute: u64, pause: u64) -> Self {
        Self { rhythm: Some((compute, pause)), ..self }
    }
}

struct Simulated {
    spec: Spec,
    member: MemberId,
    computed: u64,
    left: u64,
    wakes: Option<u64>,
    /// The longest time between becoming ready and getting a turn.
    delay: u64,
    ready_since: Option<u64>,
}

struct Turn {
    task: usize,
    began: u64,
    ends: u64,
}

/// Runs the tasks on `cores` for `time` and says what each computed, and its longest delay.
fn simulate(cores: usize, specs: &[Spec], time: u64) -> Vec<(u64, u64)> {
    let mut shares = Shares::new(cores, TICK);
    let mut tasks: Vec<_> = specs
        .iter()
        .map(|spec| {
            let group = shares.add_group(spec.weight, spec.cap);
            Simulated {
                spec: *spec,
                member: shares.add_member(group, spec.weight).unwrap(),
                computed: 0,
                left: spec.rhythm.map_or(u64::MAX, |(compute, _)| compute),
                wakes: Some(spec.from),
                delay: 0,
                ready_since: None,
            }
        })
        .collect();
    let mut running: Vec<Turn> = Vec::new();
    let mut now = 0;
    while now < time {
        for index in (0..running.len()).rev() {
            if running[index].ends <= now {
                let turn = running.swap_remove(index);
                end_turn(&mut shares, &mut tasks[turn.task], &turn, now);
            }
        }
        for task in &mut tasks {
            if task.wakes.is_some_and(|wakes| wakes <= now) {
                task.wakes = None;
                task.ready_since = Some(now);
                shares.wake(now, task.member);
            }
        }
        while running.len() < cores {
            let Some(member) = shares.next(now) else { break };
            let task = tasks.iter().position(|task| task.member == member).unwrap();
            assert!(running.iter().all(|turn| turn.task != task), "a task computes on one core at a time");
            if let Some(since) = tasks[task].ready_since.take() {
                tasks[task].delay = tasks[task].delay.max(now - since);
            }
            running.push(Turn { task, began: now, ends: now + tasks[task].left.min(TICK) });
        }
        let ends = running.iter().map(|turn| turn.ends);
        let next = ends.chain(tasks.iter().filter_map(|task| task.wakes)).chain(shares.next_release()).min();
        now = next.unwrap_or(time).max(now + 1);
    }
    tasks.iter().map(|task| (task.computed, task.delay)).collect()
}

fn end_turn(shares: &mut Shares, task: &mut Simulated, turn: &Turn, now: u64) {
    let used = turn.ends - turn.began;
    task.computed += used;
    task.left -= used;
    match task.spec.rhythm {
        Some((compute, pause)) if task.left == 0 => {
            task.left = compute;
            task.wakes = Some(now + pause);
        }
        _ => {
            // As a guest that is interrupted: it wakes itself within its turn.
            task.ready_since = None;
            shares.wake(now, task.member);
        }
    }
    shares.done(turn.began, now, task.member, used);
}

/// Checks what each computed, in parts of one core, to within half a percent of a core.
#[track_caller]
fn check(cores: usize, specs: &[Spec], expected: &[f64]) {
    let time = 60 * SECOND;
    let computed: Vec<f64> =
        simulate(cores, specs, time).iter().map(|(computed, _)| *computed as f64 / time as f64).collect();
    for (computed, expected) in computed.iter().zip(expected) {
        assert!((computed - expected).abs() < 0.005, "{specs:?}: {computed} and not {expected}");
    }
    assert_eq!(computed.len(), expected.len());
}

#[test]
fn spinning_tasks_share_by_weight() {
    check(1, &[spins(1024), spins(256)], &[0.8, 0.2]);
    check(1, &[spins(1024), spins(1024), spins(1024)], &[1.0 / 3.0; 3]);
    let mut tasks = vec![spins(1024); 4];
    tasks.extend([spins(256); 4]);
    let mut expected = vec![0.4; 4];
    expected.extend([0.1; 4]);
    check(2, &tasks, &expected);
}

#[test]
fn a_task_has_one_core_at_most_and_others_share_what_it_leaves() {
    check(2, &[spins(1024)], &[1.0]);
    check(2, &[spins(100_000), spins(10)], &[1.0, 1.0]);
    check(2, &[spins(100_000), spins(10), spins(30)], &[1.0, 0.25, 0.75]);
    check(4, &[spins(100_000), spins(50_000), spins(10), spins(10), spins(20)], &[1.0, 1.0, 0.5, 0.5, 1.0]);
}

#[test]
fn the_least_weight_is_not_starved() {
    let mut tasks = vec![spins(1024); 8];
    tasks.push(spins(10));
    let computed = simulate(2, &tasks, 60 * SECOND);
    let share = computed[8].0 as f64 / (60 * SECOND) as f64;
    let fair = 2.0 * 10.0 / f64::from(8 * 1024 + 10);
    assert!((share / fair - 1.0).abs() < 0.15, "{share} where {fair} is fair");
}

#[test]
fn beside_the_heaviest_the_lightest_still_comes_to_its_turn() {
    let mut tasks = vec![spins(262_144); 8];
    tasks.push(spins(2));
    let computed = simulate(1, &tasks, 60 * SECOND);
    let least = 1.0 / 256.0 / 9.0;
    let share = computed[8].0 as f64 / (60 * SECOND) as f64;
    assert!(share > 0.8 * least, "{share} where {least} is the least");
}

#[test]
fn what_one_leaves_idle_the_others_borrow() {
    // Computes a tenth of the time although half would be its share.
    let waits = spins(1024).waits(MILLISECOND, 9 * MILLISECOND);
    let computed = simulate(1, &[waits, spins(1024)], 60 * SECOND);
    assert!(computed[1].0 > 85 * 60 * SECOND / 100, "{computed:?}");
}

#[test]
fn a_newcomer_and_a_sleeper_claim_nothing_for_the_past() {
    // Alone for half the time, then side by side: whoever came later got half of the rest and no more.
    let computed = simulate(1, &[spins(1024), spins(1024).from(30 * SECOND)], 60 * SECOND);
    let late = computed[1].0 as f64 / (30 * SECOND) as f64;
    assert!((late - 0.5).abs() < 0.01, "{computed:?}");
    // The first two had a core each, so the light one is far ahead in what it computed for its weight. It must not pay
    // for that once a third comes.
    let computed = simulate(2, &[spins(100_000), spins(10), spins(10).from(30 * SECOND)], 60 * SECOND);
    assert!((computed[1].0 as f64 / (45 * SECOND) as f64 - 1.0).abs() < 0.01, "{computed:?}");
}

#[test]
fn a_task_that_wakes_waits_for_one_turn_whatever_spins_beside_it() {
    // As long as it takes no more than its share: two cores' 1/801 and less.
    for (spinning, weight) in [(1, 1024), (8, 1024), (64, 1024), (8, 100_000)] {
        let mut tasks = vec![spins(weight); spinning];
        tasks.push(spins(1024).from(SECOND).waits(MILLISECOND / 20, 40 * MILLISECOND));
        let computed = simulate(2, &tasks, 10 * SECOND);
        let (_, delay) = computed[spinning];
        assert!(delay <= TICK, "{spinning} spinning tasks of weight {weight} delay one by {delay} ns");
    }
}

#[test]
fn a_cap_holds_alone_and_in_company_and_is_no_claim() {
    check(1, &[spins(1024).capped(256)], &[0.25]);
    check(1, &[spins(1024).capped(256), spins(1024)], &[0.25, 0.75]);
    check(1, &[spins(1024).capped(512), spins(3 * 1024)], &[0.25, 0.75]);
    check(2, &[spins(1024).capped(128), spins(10), spins(10)], &[0.125, 0.9375, 0.9375]);
    check(1, &[spins(10).capped(1)], &[1.0 / 1024.0]);
}

#[test]
fn the_containers_of_a_task_share_its_turns_by_their_own_weights() {
    let mut shares = Shares::new(2, TICK);
    let group = shares.add_group(1280, None);
    let members = [shares.add_member(group, 1024).unwrap(), shares.add_member(group, 256).unwrap()];
    let mut now = 0;
    for member in members {
        shares.wake(now, member);
    }
    let mut turns = HashMap::new();
    for _ in 0..1_000 {
        let member = shares.next(now).unwrap();
        assert_eq!(shares.next(now), None, "the other core has nothing to do: a task has one at most");
        shares.wake(now, member);
        now += TICK;
        shares.done(now - TICK, now, member, TICK);
        *turns.entry(member).or_insert(0) += 1;
    }
    assert_eq!((turns[&members[0]], turns[&members[1]]), (800, 200));
}

#[test]
fn a_turn_is_claimed_only_where_nobody_else_competes_for_it() {
    let mut shares = Shares::new(2, TICK);
    let [first, second, capped] = [None, None, Some(256)].map(|cap| {
        let group = shares.add_group(1024, cap);
        shares.add_member(group, 1024).unwrap()
    });
    let now = SECOND;
    assert!(shares.claim(now, first));
    assert!(!shares.claim(now, first), "it has its turn already");
    shares.wake(now, second);
    assert!(!shares.claim(now, capped), "another is in the queue");
    assert_eq!(shares.next(now), Some(second));
    assert!(shares.claim(now, capped));
    shares.done(now, now + TICK, capped, TICK);
    assert!(shares.claim(now + TICK, capped), "it has credit");
    shares.done(now + TICK, 2 * now, capped, SECOND);
    assert!(!shares.claim(2 * now, capped), "it owes to its cap");
    shares.done(now, 2 * now, first, TICK);
    shares.done(now, 2 * now, second, TICK);
    assert_eq!((shares.next(2 * now), shares.next_release()), (None, None));
}

#[test]
fn members_and_groups_that_are_gone_are_never_picked() {
    let mut shares = Shares::new(1, TICK);
    let (first, second) = (shares.add_group(10, None), shares.add_group(10, Some(1)));
    let (gone, kept) = (shares.add_member(first, 10).unwrap(), shares.add_member(second, 10).unwrap());
    assert!(shares.wake(0, gone) && shares.wake(0, kept));
    shares.remove_member(gone);
    assert!(!shares.wake(0, gone));
    assert_eq!(shares.next(0), Some(kept));
    shares.remove_group(second);
    shares.done(0, TICK, kept, TICK);
    assert_eq!((shares.next(TICK), shares.next_release(), shares.has_work()), (None, None, false));
    assert_eq!(shares.add_member(second, 1), None);
    assert_eq!((shares.total_weight, shares.weights.len(), shares.running.len()), (0, 0, 0));
}

#[test]
fn members_that_come_and_go_leave_nothing_behind() {
    let mut shares = Shares::new(1, TICK);
    let group = shares.add_group(1024, None);
    let stays = shares.add_member(group, 2).unwrap();
    for _ in 0..100_000 {
        let member = shares.add_member(group, 2).unwrap();
        shares.wake(0, member);
        assert_eq!(shares.next(0), Some(member));
        shares.done(0, 1, member, 1);
        shares.remove_member(member);
        // What comes late for it means nobody else.
        assert!(!shares.wake(1, member));
        shares.remove_member(member);
    }
    assert_eq!(shares.groups[&group].members.len(), 2);
    shares.wake(2, stays);
    assert_eq!(shares.next(2), Some(stays));
}

#[test]
fn a_turn_that_is_claimed_owes_what_its_task_has_computed_like_any_other() {
    let mut shares = Shares::new(1, TICK);
    let group = shares.add_group(1024, None);
    let dear = shares.add_member(group, 2).unwrap();
    shares.wake(0, dear);
    for turn in 1..=100 {
        assert_eq!(shares.next(turn * TICK), Some(dear));
        shares.wake(turn * TICK, dear);
        shares.done(turn * TICK, (turn + 1) * TICK, dear, TICK);
    }
    assert_eq!(shares.next(102 * TICK), Some(dear));
    shares.done(102 * TICK, 103 * TICK, dear, TICK);
    shares.remove_member(dear);
    let claims = shares.add_member(group, 2).unwrap();
    assert!(shares.claim(103 * TICK, claims));
    let other = shares.add_member(group, 2).unwrap();
    shares.wake(103 * TICK, other);
    shares.wake(103 * TICK, claims);
    shares.done(103 * TICK, 104 * TICK, claims, TICK);
    assert_eq!(shares.next(104 * TICK), Some(other), "and not the one that claimed, for a hundred turns");
}
