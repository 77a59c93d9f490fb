//! The guest threads, and what they poll.
//!
//! A guest's future is polled by whichever guest thread is free when [`Shares`] says that it is its turn, never by two
//! at once; its first turn may be had on the thread that spawns it. What it computed is measured with the thread's own
//! processor clock, so that waiting costs nothing.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Wake, Waker, ready};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::pulse::Pulse;
use super::runtime::GuestRuntime;
use super::shares::{GroupId, MemberId, Shares};

/// The guest threads of one runner. They end when this is dropped, after the turns that are under way.
#[derive(Debug)]
pub(crate) struct Executor {
    shared: Arc<Shared>,
    _runtime: GuestRuntime,
}

struct Shared {
    state: Mutex<State>,
    work: Condvar,
    pulse: Arc<Pulse>,
    /// The guests' own runtime.
    runtime: Option<Handle>,
    origin: Instant,
}

struct State {
    shares: Shares,
    jobs: HashMap<MemberId, Arc<Job>>,
    /// Threads that wait on `work`.
    idle: usize,
    closed: bool,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

/// Why a guest's future did not end by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// It computed for longer than it may.
    CpuTime,
    /// Host code panicked while it ran: a defect of ours.
    Panicked,
    /// It was stopped, or the executor was closed.
    Stopped,
}

/// A future with its result's sender; dropped whole, in this order, when the job is over.
struct Work {
    future: Pin<Box<dyn Future<Output = ()> + Send>>,
    /// Dropping it tells whoever waits that the future is gone.
    _ended: oneshot::Sender<()>,
}

/// One guest's future, as the executor knows it.
struct Job {
    member: MemberId,
    shared: Weak<Shared>,
    /// `None` when it has ended, and while a thread polls it.
    work: Mutex<Option<Work>>,
    stopped: AtomicBool,
    cut: Mutex<Option<Cut>>,
    /// Nanoseconds that it computed so far.
    computed: Arc<AtomicU64>,
    budget: Option<CpuBudget>,
}

/// On which thread a guest has its first turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FirstTurn {
    /// On the caller's, if a guest thread has nothing to do: for a guest that is done within it, waking another thread and
    /// being woken by it would take longer than all the rest.
    Here,
    /// On a guest thread, as all others: where strangers say how often, guests must not compute on the caller's.
    Elsewhere,
}

/// How long some futures may compute, all together.
#[derive(Debug, Clone)]
pub(crate) struct CpuBudget {
    most: Duration,
    spent: Arc<AtomicU64>,
}

impl CpuBudget {
    /// A budget of which nothing is spent.
    pub(crate) fn new(most: Duration) -> Self {
        Self { most, spent: Arc::default() }
    }

    /// Spends so many nanoseconds. Returns whether more is spent than there was.
    fn spend(&self, nanoseconds: u64) -> bool {
        let spent = self.spent.fetch_add(nanoseconds, Ordering::Relaxed).saturating_add(nanoseconds);
        u128::from(spent) > self.most.as_nanos()
    }
}

impl Executor {
    /// Starts `threads` guest threads, at least one. Futures give way after `turn`, for which `pulse` has to be told.
    pub(crate) fn start(threads: usize, turn: Duration, pulse: Arc<Pulse>) -> std::io::Result<Self> {
        let runtime = GuestRuntime::start()?;
        let threads = threads.max(1);
        let state =
            State { shares: Shares::new(threads, nanoseconds(turn)), jobs: HashMap::new(), idle: 0, closed: false };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            work: Condvar::new(),
            pulse,
            runtime: runtime.handle(),
            origin: Instant::now(),
        });
        let executor = Self { shared: Arc::clone(&shared), _runtime: runtime };
        for number in 0..threads {
            let shared = Arc::clone(&shared);
            let name = format!("rolebox-guest-{number}");
            std::thread::Builder::new().name(name).spawn(move || shared.run())?;
        }
        Ok(executor)
    }

    /// A share for one task: `weight` relative to other tasks, and at most `cap` CPU units where it has one.
    pub(crate) fn share(&self, weight: u32, cap: Option<u32>) -> TaskShare {
        let group = self.shared.lock().shares.add_group(weight, cap);
        TaskShare { shared: Arc::clone(&self.shared), group }
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        let jobs = {
            let mut state = self.shared.lock();
            state.closed = true;
            std::mem::take(&mut state.jobs)
        };
        self.shared.work.notify_all();
        // Outside the lock: a future may wake or stop others when it is dropped.
        for job in jobs.into_values() {
            job.stopped.store(true, Ordering::SeqCst);
            drop(job.take());
        }
    }
}

/// One task's share of the guest threads.
#[derive(Debug)]
pub(crate) struct TaskShare {
    shared: Arc<Shared>,
    group: GroupId,
}

impl TaskShare {
    /// Runs `future` on the guest threads, in the task's share and with `weight` relative to the task's other futures.
    ///
    /// What it computes is added to `computed`, in nanoseconds; past its `budget` it is cut.
    ///
    /// Where a guest thread has nothing to do, the `first` turn may be had on the caller's thread instead.
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        weight: u32,
        computed: Arc<AtomicU64>,
        budget: Option<CpuBudget>,
        first: FirstTurn,
        future: impl Future<Output = T> + Send + 'static,
    ) -> Guest<T> {
        let (ended, gone) = oneshot::channel();
        let (answer, answered) = oneshot::channel();
        let future = async move {
            // Whoever waited may have gone away.
            let _ = answer.send(future.await);
        };
        let work = Work { future: Box::pin(future), _ended: ended };
        let mut state = self.shared.lock();
        let job = match state.shares.add_member(self.group, weight) {
            Some(member) if !state.closed => {
                let job = Arc::new(Job {
                    member,
                    shared: Arc::downgrade(&self.shared),
                    work: Mutex::new(Some(work)),
                    stopped: AtomicBool::new(false),
                    cut: Mutex::new(None),
                    computed,
                    budget,
                });
                state.jobs.insert(member, Arc::clone(&job));
                let may = first == FirstTurn::Here && state.idle > 0;
                let at_once = may && state.shares.claim(self.shared.now(), member);
                if at_once {
                    drop(state);
                    let _entered = self.shared.runtime.as_ref().map(Handle::enter);
                    self.shared.turn(&job, thread_clock());
                } else {
                    self.shared.wake(state, member);
                }
                Some(job)
            }
            // Its runner is gone: it is cut before it began.
            _ => None,
        };
        Guest { job, answered: Some(answered), gone: Some(gone) }
    }
}

impl Drop for TaskShare {
    fn drop(&mut self) {
        let jobs: Vec<_> = {
            let mut state = self.shared.lock();
            let members: Vec<_> = state.jobs.keys().filter(|member| member.group == self.group).copied().collect();
            state.shares.remove_group(self.group);
            members.iter().filter_map(|member| state.jobs.remove(member)).collect()
        };
        for job in jobs {
            job.stopped.store(true, Ordering::SeqCst);
            drop(job.take());
        }
    }
}

/// A future on the guest threads. Dropping it cuts the future; [`Guest::stop`] waits until it is gone.
pub(crate) struct Guest<T> {
    job: Option<Arc<Job>>,
    /// `None` when it has been received, or will never be.
    answered: Option<oneshot::Receiver<T>>,
    gone: Option<oneshot::Receiver<()>>,
}

impl<T> Guest<T> {
    /// Cuts the future and waits until it has been dropped: at most one turn.
    pub(crate) async fn stop(mut self) {
        self.cut();
        if let Some(gone) = self.gone.take() {
            // Always an error: what is waited for is that the sender is dropped.
            let _ = gone.await;
        }
    }

    fn cut(&self) {
        let Some(job) = &self.job else { return };
        job.stopped.store(true, Ordering::SeqCst);
        // Where a thread polls it, that thread drops it after the turn.
        let Some(work) = job.take() else { return };
        let shared = job.shared.upgrade();
        if let Some(shared) = &shared {
            shared.forget(job);
        }
        // What it leaves to be closed is closed by the guests' own runtime.
        let runtime = shared.and_then(|shared| shared.runtime.clone());
        let _entered = runtime.as_ref().map(Handle::enter);
        drop(work);
    }
}

impl<T> Future for Guest<T> {
    type Output = Result<T, Cut>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(answered) = &mut self.answered {
            let answer = ready!(Pin::new(answered).poll(context));
            self.answered = None;
            if let Ok(answer) = answer {
                return Poll::Ready(Ok(answer));
            }
        }
        // It was cut; why is known when it has been taken apart.
        if let Some(gone) = &mut self.gone {
            let _ = ready!(Pin::new(gone).poll(context));
            self.gone = None;
        }
        let cut = self.job.as_ref().and_then(|job| *lock(&job.cut));
        Poll::Ready(Err(cut.unwrap_or(Cut::Stopped)))
    }
}

impl<T> Drop for Guest<T> {
    fn drop(&mut self) {
        self.cut();
    }
}

impl Job {
    fn take(&self) -> Option<Work> {
        lock(&self.work).take()
    }

    /// Polls the future once. Returns whether it is over, and why where it did not end by itself.
    fn poll(self: &Arc<Self>, work: &mut Work) -> (bool, Option<Cut>) {
        let waker = Waker::from(Arc::clone(self));
        let polled =
            catch_unwind(AssertUnwindSafe(|| work.future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready()));
        match polled {
            Ok(true) => (true, None),
            Ok(false) => (false, None),
            Err(_) => (true, Some(Cut::Panicked)),
        }
    }
}

impl Wake for Job {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Some(shared) = self.shared.upgrade() {
            shared.wake(shared.lock(), self.member);
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    fn now(&self) -> u64 {
        nanoseconds(self.origin.elapsed())
    }

    fn wake(&self, mut state: MutexGuard<'_, State>, member: MemberId) {
        let look = state.shares.wake(self.now(), member) && state.idle > 0;
        drop(state);
        if look {
            self.work.notify_one();
        }
    }

    fn forget(&self, job: &Job) {
        let mut state = self.lock();
        state.jobs.remove(&job.member);
        state.shares.remove_member(job.member);
    }

    /// A guest thread, until the executor is closed.
    fn run(&self) {
        // What guests' futures spawn and sleep on is the guests' own runtime.
        let _entered = self.runtime.as_ref().map(Handle::enter);
        let mut clock = thread_clock();
        while let Some(job) = self.next() {
            clock = self.turn(&job, clock);
        }
    }

    /// One turn of a job whose turn it is. `clock` is this thread's clock when it began, and what is returned the clock when
    /// it ended.
    fn turn(&self, job: &Arc<Job>, clock: u64) -> u64 {
        let under_way = self.pulse.turn();
        let began = self.now();
        let mut over = true;
        if let Some(mut work) = job.take() {
            let (ended, cut) = job.poll(&mut work);
            over = ended;
            if cut.is_some() {
                *lock(&job.cut) = cut;
            }
            // Dropped here, and so within the turn: taking a guest apart is its own computing.
            if ended || job.stopped.load(Ordering::SeqCst) {
                take_apart(work);
                over = true;
            } else {
                *lock(&job.work) = Some(work);
            }
        }
        drop(under_way);
        let now = thread_clock();
        self.end_turn(job, began, now.saturating_sub(clock), over);
        now
    }

    fn next(&self) -> Option<Arc<Job>> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            if let Some(member) = state.shares.next(self.now()) {
                if let Some(job) = state.jobs.get(&member).cloned() {
                    // Others may have become ready for whom nobody was woken while this thread was looking.
                    if state.idle > 0 && state.shares.has_work() {
                        self.work.notify_one();
                    }
                    return Some(job);
                }
                state.shares.remove_member(member);
                continue;
            }
            state.idle += 1;
            let release = state.shares.next_release().map(|release| release.saturating_sub(self.now()));
            state = match release {
                Some(nanoseconds) => {
                    let wait = Duration::from_nanos(nanoseconds);
                    self.work.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.work.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
            state.idle -= 1;
        }
    }

    fn end_turn(&self, job: &Arc<Job>, began: u64, used: u64, over: bool) {
        job.computed.fetch_add(used, Ordering::Relaxed);
        let exceeded = job.budget.as_ref().is_some_and(|budget| budget.spend(used));
        if exceeded && !over {
            *lock(&job.cut) = Some(Cut::CpuTime);
            job.stopped.store(true, Ordering::SeqCst);
        }
        // A stop that came after the turn found nothing to drop, since the future was not back yet.
        let over = over || job.stopped.load(Ordering::SeqCst);
        let work = if over { job.take() } else { None };
        let mut state = self.lock();
        state.shares.done(began, self.now(), job.member, used);
        if over {
            state.jobs.remove(&job.member);
            state.shares.remove_member(job.member);
        }
        let look = state.idle > 0 && state.shares.has_work();
        drop(state);
        if look {
            self.work.notify_one();
        }
        if let Some(work) = work {
            take_apart(work);
        }
    }
}

/// Drops a future on a guest thread, which must live on whatever its destructors do.
fn take_apart(work: Work) {
    if catch_unwind(AssertUnwindSafe(|| drop(work))).is_err() {
        tracing::error!("taking a guest apart failed");
    }
}

/// The processor time of this thread in nanoseconds.
fn thread_clock() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let (seconds, nanoseconds) = (u64::try_from(time.tv_sec), u64::try_from(time.tv_nsec));
    seconds.unwrap_or_default().saturating_mul(1_000_000_000).saturating_add(nanoseconds.unwrap_or_default())
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
