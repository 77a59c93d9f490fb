//! Weighted max-min fairness between tasks, decided without a clock or a thread of its own.
//!
//! Each task is a group of containers. A group has a virtual time that grows by what it computed divided by its weight,
//! and the group whose virtual time is least computes next; inside a group the containers share by the same rule. A
//! group computes on one core at most. From that three things follow:
//!
//! - A group whose weight asks for more than one core cannot use it. Left alone its virtual time would fall behind, and
//!   it would be preferred for as long as it lagged once it had to share. So its weight counts only as far as it can be
//!   served: [`Shares::served`].
//! - A group that waited has no claim on the time it did not use: when it wakes, its virtual time is moved up to that of
//!   those that compete, but for one turn. That one turn lets a group that mostly waits go before those that spin.
//! - A group of little weight beside heavy ones would wait for minutes between two turns. So no weight counts less than a
//!   [`LEAST_PART`] of what those that compete have on average.
//! - A group with a cap owes what it computed at the rate of its cap, and does not compete until that is paid.
//!
//! The feasible weight is the readjustment of Chandra, Adler, Goyal and Shenoy, "Surplus Fair Scheduling" (OSDI 2000).

use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What virtual time is counted in: nanoseconds of a group of weight one, in parts of this many.
const SCALE: u128 = 1 << 20;

/// How much of its past a group with a cap may make up for, in nanoseconds: without any, each time it has to wait for its
/// turn would be lost to it. As long as a period of the kernel's own bandwidth control.
/// <https://docs.kernel.org/scheduler/sched-bwc.html>
const CREDIT: u64 = 100_000_000;

/// The part of the average weight that every weight counts at least: an ECS container that asks for nothing has 2, and one
/// that asks for most 262,144.
const LEAST_PART: u64 = 256;

/// A task.
pub(super) type GroupId = u64;

/// A container of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct MemberId {
    pub(super) group: GroupId,
    index: usize,
    /// Tells it from those that had its place before: a task that serves has a member for each request.
    generation: u64,
}

/// The groups that compete for `cores`, and whose turn it is. Times are nanoseconds from any origin.
#[derive(Debug)]
pub(super) struct Shares {
    cores: u64,
    /// The longest turn, in nanoseconds.
    turn: u64,
    groups: HashMap<GroupId, Group>,
    next_id: GroupId,
    /// Groups that could compute now, by virtual time and then by rank.
    queue: BTreeSet<(u128, Rank, GroupId)>,
    arrivals: u64,
    /// Groups that would compute but owe time to their cap, by when that is paid.
    throttled: BTreeSet<(u64, GroupId)>,
    running: Vec<GroupId>,
    /// The weights of all groups in `queue` and `running`, with how many have each.
    weights: BTreeMap<u64, u64>,
    total_weight: u64,
    /// The least virtual time of those that compete; it never goes back.
    floor: u128,
}

#[derive(Debug)]
struct Group {
    weight: u64,
    cap: Option<Cap>,
    virtual_time: u128,
    members: Vec<Member>,
    /// Places in `members` of those that are gone.
    free: Vec<usize>,
    member_floor: u128,
    standing: Standing,
}

/// At most `units` of [`CORE`](super::CORE) over time.
#[derive(Debug)]
struct Cap {
    units: u64,
    /// What was computed is paid for by then.
    paid: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// No member has anything to do.
    Idle,
    Queued(Rank),
    Throttled,
    Running,
}

/// The order of groups of the same virtual time: those that waited before those that computed just now, so that spinning
/// guests do not hold up one that only answers; then those that came first.
type Rank = (bool, u64);

#[derive(Debug)]
struct Member {
    generation: u64,
    weight: u64,
    virtual_time: u128,
    state: MemberState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MemberState {
    Waiting,
    Ready,
    Running {
        /// Woken since its turn began.
        again: bool,
    },
    Gone,
}

impl Group {
    /// The member, unless it is gone, and another one perhaps in its place.
    fn member(&mut self, id: MemberId) -> Option<&mut Member> {
        let member = self.members.get_mut(id.index)?;
        (member.generation == id.generation && member.state != MemberState::Gone).then_some(member)
    }
}

impl Shares {
    /// Shares between groups on this many cores, at least one, in turns of at most `turn` nanoseconds.
    pub(super) fn new(cores: usize, turn: u64) -> Self {
        Self {
            cores: cores.max(1) as u64,
            turn,
            groups: HashMap::new(),
            next_id: 0,
            queue: BTreeSet::new(),
            arrivals: 0,
            throttled: BTreeSet::new(),
            running: Vec::new(),
            weights: BTreeMap::new(),
            total_weight: 0,
            floor: 0,
        }
    }

    /// A new group with this weight, and with at most `cap` CPU units where it has one.
    pub(super) fn add_group(&mut self, weight: u32, cap: Option<u32>) -> GroupId {
        let id = self.next_id;
        self.next_id += 1;
        let group = Group {
            weight: u64::from(weight.max(1)),
            cap: cap.map(|units| Cap { units: u64::from(units.max(1)), paid: 0 }),
            virtual_time: 0,
            members: Vec::new(),
            free: Vec::new(),
            member_floor: 0,
            standing: Standing::Idle,
        };
        self.groups.insert(id, group);
        id
    }

    /// A new member of `group`, which waits until it is woken. `None` when the group is gone.
    pub(super) fn add_member(&mut self, group: GroupId, weight: u32) -> Option<MemberId> {
        let Group { members, free, .. } = self.groups.get_mut(&group)?;
        let mut member =
            Member { generation: 0, weight: u64::from(weight.max(1)), virtual_time: 0, state: MemberState::Waiting };
        let index = match free.pop() {
            Some(index) => {
                member.generation = members[index].generation + 1;
                members[index] = member;
                index
            }
            None => {
                members.push(member);
                members.len() - 1
            }
        };
        Some(MemberId { group, index, generation: members[index].generation })
    }

    /// The group has no members left and gets no more.
    pub(super) fn remove_group(&mut self, group: GroupId) {
        self.leave(group);
        self.groups.remove(&group);
    }

    /// The member has something to do. Returns whether a core that has nothing to do should look.
    pub(super) fn wake(&mut self, now: u64, member: MemberId) -> bool {
        let Some(group) = self.groups.get_mut(&member.group) else { return false };
        let floor = group.member_floor;
        let Some(entry) = group.member(member) else { return false };
        match &mut entry.state {
            MemberState::Waiting => {
                entry.state = MemberState::Ready;
                entry.virtual_time = entry.virtual_time.max(floor);
            }
            MemberState::Running { again } => {
                *again = true;
                return false;
            }
            MemberState::Ready | MemberState::Gone => return false,
        }
        match group.standing {
            Standing::Idle => {
                self.compete(now, member.group);
                true
            }
            Standing::Queued(_) | Standing::Throttled | Standing::Running => false,
        }
    }

    /// Gives a member that waits a turn at once, if nobody else competes for it. The turn lasts until [`Shares::done`].
    pub(super) fn claim(&mut self, now: u64, member: MemberId) -> bool {
        self.release(now);
        let Some(group) = self.groups.get_mut(&member.group) else { return false };
        let owes = group.cap.as_ref().is_some_and(|cap| cap.paid > now);
        if group.standing != Standing::Idle || owes || !self.queue.is_empty() {
            return false;
        }
        let floor = group.member_floor;
        match group.member(member) {
            Some(entry) if entry.state == MemberState::Waiting => {
                entry.state = MemberState::Ready;
                // As when it is woken: it has no claim on time that it was not there to use.
                entry.virtual_time = entry.virtual_time.max(floor);
            }
            _ => return false,
        }
        self.compete(now, member.group);
        // It is alone in the queue.
        self.next(now) == Some(member)
    }

    /// The member does not compute any more, whatever it was doing.
    pub(super) fn remove_member(&mut self, member: MemberId) {
        let Some(group) = self.groups.get_mut(&member.group) else { return };
        let Some(entry) = group.member(member) else { return };
        entry.state = MemberState::Gone;
        group.free.push(member.index);
        let over = group.members.iter().all(|member| matches!(member.state, MemberState::Waiting | MemberState::Gone));
        if over {
            self.leave(member.group);
        }
    }

    /// Whose turn it is. The turn lasts until [`Shares::done`].
    pub(super) fn next(&mut self, now: u64) -> Option<MemberId> {
        self.release(now);
        let (_, _, id) = self.queue.pop_first()?;
        self.running.push(id);
        let group = self.groups.get_mut(&id)?;
        group.standing = Standing::Running;
        let ready = group.members.iter_mut().enumerate().filter(|(_, member)| member.state == MemberState::Ready);
        let (index, member) = ready.min_by_key(|(_, member)| member.virtual_time)?;
        member.state = MemberState::Running { again: false };
        group.member_floor = group.member_floor.max(member.virtual_time);
        Some(MemberId { group: id, index, generation: member.generation })
    }

    /// The member's turn is over: it began at `began` and computed for `used` nanoseconds.
    pub(super) fn done(&mut self, began: u64, now: u64, member: MemberId, used: u64) {
        let (least, most) = self.served();
        let Some(group) = self.groups.get_mut(&member.group) else { return };
        group.virtual_time += u128::from(used) * SCALE / u128::from(group.weight.clamp(least, most));
        if let Some(cap) = &mut group.cap {
            let price = u128::from(used) * u128::from(super::CORE) / u128::from(cap.units);
            cap.paid =
                cap.paid.max(began.saturating_sub(CREDIT)).saturating_add(u64::try_from(price).unwrap_or(u64::MAX));
        }
        if let Some(entry) = group.member(member) {
            entry.virtual_time += u128::from(used) * SCALE / u128::from(entry.weight);
            entry.state = match entry.state {
                MemberState::Running { again: true } => MemberState::Ready,
                MemberState::Running { again: false } => MemberState::Waiting,
                other => other,
            };
        }
        let ready = group.members.iter().any(|member| member.state == MemberState::Ready);
        let owes = group.cap.as_ref().is_some_and(|cap| cap.paid > now);
        if ready && !owes && group.standing == Standing::Running {
            // It goes on competing: what it is behind the others is its due.
            self.running.retain(|running| *running != member.group);
            self.enqueue(member.group, true);
            return;
        }
        self.leave(member.group);
        if ready {
            self.compete(now, member.group);
        }
    }

    /// When the next group has paid what it owes to its cap.
    pub(super) fn next_release(&self) -> Option<u64> {
        self.throttled.first().map(|(paid, _)| *paid)
    }

    /// Whether somebody could compute now.
    pub(super) fn has_work(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Lets groups compete again whose cap is paid.
    fn release(&mut self, now: u64) {
        while let Some((paid, id)) = self.throttled.first().copied() {
            if paid > now {
                return;
            }
            self.throttled.pop_first();
            if let Some(group) = self.groups.get_mut(&id) {
                group.standing = Standing::Idle;
                self.compete(now, id);
            }
        }
    }

    /// Puts an idle group into the queue, or aside where it owes time to its cap.
    fn compete(&mut self, now: u64, id: GroupId) {
        let Some(group) = self.groups.get_mut(&id) else { return };
        if let Some(cap) = &group.cap
            && cap.paid > now
        {
            group.standing = Standing::Throttled;
            self.throttled.insert((cap.paid, id));
            return;
        }
        let credit = u128::from(self.turn) * SCALE / u128::from(group.weight);
        group.virtual_time = group.virtual_time.max(self.floor.saturating_sub(credit));
        *self.weights.entry(group.weight).or_default() += 1;
        self.total_weight += group.weight;
        self.enqueue(id, false);
    }

    fn enqueue(&mut self, id: GroupId, computed: bool) {
        let Some(group) = self.groups.get_mut(&id) else { return };
        let rank = (computed, self.arrivals);
        self.arrivals += 1;
        group.standing = Standing::Queued(rank);
        self.queue.insert((group.virtual_time, rank, id));
        self.raise_floor();
    }

    /// Takes a group out of wherever it stands; it is idle afterwards.
    fn leave(&mut self, id: GroupId) {
        let Some(group) = self.groups.get_mut(&id) else { return };
        let competed = match group.standing {
            Standing::Idle => false,
            Standing::Throttled => {
                if let Some(cap) = &group.cap {
                    self.throttled.remove(&(cap.paid, id));
                }
                false
            }
            Standing::Queued(rank) => self.queue.remove(&(group.virtual_time, rank, id)),
            Standing::Running => {
                self.running.retain(|running| *running != id);
                true
            }
        };
        group.standing = Standing::Idle;
        if competed {
            let weight = group.weight;
            self.total_weight -= weight;
            if let Some(count) = self.weights.get_mut(&weight) {
                *count -= 1;
                if *count == 0 {
                    self.weights.remove(&weight);
                }
            }
            self.raise_floor();
        }
    }

    fn raise_floor(&mut self) {
        let queued = self.queue.first().map(|(virtual_time, _, _)| *virtual_time);
        let running = self.running.iter().filter_map(|id| self.groups.get(id)).map(|group| group.virtual_time);
        if let Some(least) = running.chain(queued).min() {
            self.floor = self.floor.max(least);
        }
    }

    /// The least weight and the highest that count.
    fn served(&self) -> (u64, u64) {
        let competing = self.weights.values().sum::<u64>().max(1);
        let (most, total) = self.feasible(competing);
        let least = total / competing / LEAST_PART;
        (least.clamp(1, most), most)
    }

    /// The highest weight that can be served, since a group that has more gets a core of its own and no more than that; and
    /// what all weights come to when none counts more.
    fn feasible(&self, competing: u64) -> (u64, u64) {
        if competing <= self.cores {
            // Each has a core; none is ahead of another.
            let least = self.weights.keys().next().copied().unwrap_or(1);
            return (least, least * competing);
        }
        let (mut cores, mut rest) = (self.cores, self.total_weight);
        for (weight, count) in self.weights.iter().rev() {
            for _ in 0..*count {
                if weight.saturating_mul(cores) <= rest {
                    let most = if cores == self.cores { u64::MAX } else { (rest / cores).max(1) };
                    return (most, rest.saturating_add((self.cores - cores).saturating_mul(most)));
                }
                rest -= weight;
                cores -= 1;
            }
        }
        (u64::MAX, self.total_weight)
    }
}

#[cfg(test)]
mod tests;
