//! The executor on real threads, with futures that count instead of guests that compute.

use std::future::{pending, poll_fn, ready};
use std::sync::atomic::AtomicUsize;

use super::*;

const TURN: Duration = Duration::from_millis(10);

fn executor() -> Executor {
    Executor::start(2, TURN, Arc::new(Pulse::new().0)).unwrap()
}

fn spawn<T: Send + 'static>(share: &TaskShare, future: impl Future<Output = T> + Send + 'static) -> Guest<T> {
    share.spawn(1024, Arc::default(), None, FirstTurn::Here, future)
}

/// Tells when it is dropped.
struct OnDrop(Arc<AtomicUsize>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Yields for ever, as a guest that never calls the host.
fn spins() -> impl Future<Output = ()> + Send {
    poll_fn(|context| {
        context.waker().wake_by_ref();
        Poll::Pending
    })
}

#[tokio::test]
async fn a_future_gives_its_output_and_runs_on_guest_threads_after_its_first_turn() {
    let executor = executor();
    let share = executor.share(1024, None);
    let name = spawn(&share, async {
        tokio::task::yield_now().await;
        std::thread::current().name().map(str::to_owned)
    });
    let name = name.await.unwrap();
    assert!(name.unwrap().starts_with("rolebox-guest-"));
}

#[tokio::test]
async fn timers_and_wakes_from_elsewhere_resume_it() {
    let executor = executor();
    let share = executor.share(1024, None);
    let (send, receive) = oneshot::channel();
    let guest = spawn(&share, async move {
        tokio::time::sleep(Duration::from_millis(1)).await;
        receive.await.unwrap_or(0)
    });
    send.send(7).unwrap();
    assert_eq!(guest.await, Ok(7));
}

#[tokio::test]
async fn many_futures_of_many_tasks_all_end() {
    let executor = executor();
    let guests: Vec<_> = (0..1_000)
        .map(|number| {
            let share = executor.share(1 + number, None);
            let mut turns = number % 7;
            let guest = spawn(&share, async move {
                poll_fn(|context| {
                    context.waker().wake_by_ref();
                    turns = turns.saturating_sub(1);
                    if turns == 0 { Poll::Ready(()) } else { Poll::Pending }
                })
                .await;
                number
            });
            (number, share, guest)
        })
        .collect();
    for (number, _share, guest) in guests {
        assert_eq!(guest.await, Ok(number));
    }
}

#[tokio::test]
async fn a_stop_returns_when_the_future_is_gone_whether_it_waits_or_spins() {
    let executor = executor();
    let share = executor.share(1024, None);
    let dropped = Arc::new(AtomicUsize::new(0));
    let (waits, spinning) = (OnDrop(dropped.clone()), OnDrop(dropped.clone()));
    let waits = spawn(&share, async move {
        let _held = waits;
        pending::<()>().await;
    });
    let spinning = spawn(&share, async move {
        let _held = spinning;
        spins().await;
    });
    waits.stop().await;
    assert_eq!(dropped.load(Ordering::SeqCst), 1);
    spinning.stop().await;
    assert_eq!(dropped.load(Ordering::SeqCst), 2);
    let state = executor.shared.lock();
    assert!(state.jobs.is_empty(), "nothing is kept of what was stopped");
}

#[tokio::test]
async fn dropping_the_share_or_the_executor_cuts_what_runs() {
    let executor = executor();
    let (share, other) = (executor.share(1024, None), executor.share(1024, None));
    let (first, second) = (spawn(&share, spins()), spawn(&other, pending::<()>()));
    drop(share);
    assert_eq!(first.await, Err(Cut::Stopped));
    drop(executor);
    assert_eq!(second.await, Err(Cut::Stopped));
    assert_eq!(spawn(&other, ready(())).await, Err(Cut::Stopped));
}

#[tokio::test]
async fn a_panic_ends_its_future_and_nothing_else() {
    let executor = Executor::start(1, TURN, Arc::new(Pulse::new().0)).unwrap();
    let share = executor.share(1024, None);
    assert_eq!(
        spawn(&share, async { panic!("a defect of the host, provoked by this test") }).await,
        Err::<(), _>(Cut::Panicked)
    );
    struct PanicsOnDrop;
    impl Drop for PanicsOnDrop {
        fn drop(&mut self) {
            panic!("a defect of the host, provoked by this test");
        }
    }
    let held = PanicsOnDrop;
    let guest = spawn(&share, async move {
        let _held = held;
        pending::<()>().await;
    });
    let stopped = spawn(&share, spins());
    stopped.stop().await;
    drop(std::panic::catch_unwind(AssertUnwindSafe(|| drop(guest))));
    assert_eq!(spawn(&share, ready(3)).await, Ok(3));
}

#[tokio::test]
async fn computing_is_counted_and_cut_past_its_limit() {
    let executor = executor();
    let share = executor.share(1024, None);
    let computed = Arc::new(AtomicU64::new(0));
    let most = Duration::from_millis(5);
    let guest = share.spawn(1024, computed.clone(), Some(CpuBudget::new(most)), FirstTurn::Here, spins());
    assert_eq!(guest.await, Err(Cut::CpuTime));
    assert!(u128::from(computed.load(Ordering::SeqCst)) > most.as_nanos());
    // Waiting is not computing.
    let sleeps = async { tokio::time::sleep(Duration::from_millis(50)).await };
    assert_eq!(share.spawn(1024, Arc::default(), Some(CpuBudget::new(most)), FirstTurn::Here, sleeps).await, Ok(()));
    // What two compute counts together.
    let budget = CpuBudget::new(most);
    let (one, other) = (
        share.spawn(1024, Arc::default(), Some(budget.clone()), FirstTurn::Here, spins()),
        share.spawn(1024, Arc::default(), Some(budget), FirstTurn::Here, spins()),
    );
    assert_eq!((one.await, other.await), (Err(Cut::CpuTime), Err(Cut::CpuTime)));
}
