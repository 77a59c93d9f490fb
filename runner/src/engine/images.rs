//! All images of one engine: each loaded once, however many tasks ask for it at the same time.
//!
//! An image is known by its bytes; which ones a file holds is found out by reading it ([`source`]), one file at a time,
//! and remembered for as long as the file is unchanged. Whoever asks for an image that is being loaded waits for that, and
//! it goes on also when the one that asked first is gone. At most a few are compiled at once, in the order in which they
//! came, on threads of their own: a compilation takes seconds, and the async threads are for tasks.
//!
//! What is ready is kept, within a bound on count and size, by when it was asked for last; tasks that hold an image keep
//! theirs in any case. What could not be compiled is remembered for half a minute, so that who tries again and again does
//! not have it compiled again and again.

mod loader;
mod recent;
pub(in crate::engine) mod source;

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, oneshot, watch};
use wasmtime::Engine;

use self::loader::Loader;
use self::recent::{Recent, Room};
use self::source::Stamp;
use super::ImageSettings;
use super::image::{Image, ImageError, ImageId, ImageProblem};

/// How long what could not be compiled is refused without trying again.
const FAILED_FOR: Duration = Duration::from_secs(30);

/// Files and failures that are remembered; each takes some hundred bytes.
const REMEMBERED: Room = Room { count: 1_024, weight: u64::MAX };

/// How often an image is looked for anew whose file is written to while it is loaded.
const MAX_TRIES: u32 = 3;

type Outcome = Result<Arc<Image>, ImageProblem>;
type Waiting = watch::Receiver<Option<Outcome>>;

/// The images. Dropping this ends compilations that are on their way.
pub(crate) struct Images(Arc<Shared>);

struct Shared {
    loader: Loader,
    state: Mutex<State>,
    /// One file is read at a time, so that a thousand tasks that ask for one hold one in memory.
    reading: Semaphore,
    compiling: Arc<Semaphore>,
    closed: AtomicBool,
}

struct State {
    files: Recent<Stamp, Seen>,
    ready: Recent<ImageId, Arc<Image>>,
    failed: Recent<ImageId, (ImageProblem, Instant)>,
    loading: HashMap<ImageId, Waiting>,
}

/// What a file was found to hold.
#[derive(Clone, Copy)]
struct Seen {
    image: ImageId,
    settled: bool,
    /// When reading it began.
    began: Instant,
}

impl Drop for Images {
    fn drop(&mut self) {
        self.0.closed.store(true, Ordering::Relaxed);
    }
}

impl Images {
    pub(super) fn new(engine: &Engine, settings: &ImageSettings) -> wasmtime::Result<Self> {
        let ready = Room { count: settings.prepared, weight: settings.prepared_bytes };
        Ok(Self(Arc::new(Shared {
            loader: Loader::new(engine, settings)?,
            state: Mutex::new(State {
                files: Recent::new(REMEMBERED),
                ready: Recent::new(ready),
                failed: Recent::new(REMEMBERED),
                loading: HashMap::new(),
            }),
            reading: Semaphore::new(1),
            compiling: Arc::new(Semaphore::new(settings.compilations.clamp(1, Semaphore::MAX_PERMITS))),
            closed: AtomicBool::new(false),
        })))
    }

    /// The image at `path`, made ready if it is not yet.
    pub(crate) async fn load(&self, path: &Path) -> Result<Arc<Image>, ImageError> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.0.clone().image(path).await {
                Ok(image) => return Ok(image),
                // It may be another file with the same bytes that was changed: who asked for it first named that one.
                Err(ImageProblem::Changed) if tries < MAX_TRIES => {}
                Err(problem) => return Err(ImageError::File { path: path.to_owned(), problem }),
            }
        }
    }
}

/// What there is of an image.
enum Found {
    Done(Outcome),
    Loading(Waiting),
    /// Nothing: it is for the one that asked to load it.
    Nothing(Loading, Waiting),
}

impl Shared {
    async fn image(self: Arc<Self>, path: &Path) -> Outcome {
        let id = self.identify(path).await?;
        loop {
            let mut waiting = match self.find(id) {
                Found::Done(outcome) => return outcome,
                Found::Loading(waiting) => waiting,
                Found::Nothing(loading, waiting) => {
                    // In a task of its own: the one that asked may go away.
                    tokio::spawn(loading.run(path.to_owned()));
                    waiting
                }
            };
            if let Ok(outcome) = waiting.wait_for(Option::is_some).await
                && let Some(outcome) = outcome.clone()
            {
                return outcome;
            }
            // Whoever was at it is gone with the threads that it ran on: the next one takes over.
        }
    }

    /// Which image the file holds.
    async fn identify(self: &Arc<Self>, path: &Path) -> Result<ImageId, ImageProblem> {
        let arrived = Instant::now();
        let (shared, file) = (self.clone(), path.to_owned());
        let known = blocking(move || Ok(shared.seen(&source::stamp(&file)?, arrived))).await?;
        if let Some(image) = known {
            return Ok(image);
        }
        let _turn = self.reading.acquire().await.map_err(|_| stopped())?;
        let (shared, file) = (self.clone(), path.to_owned());
        blocking(move || shared.read(&file, arrived)).await
    }

    /// What a file of this stamp holds: for as long as the stamp is the same where it was settled, and else for those
    /// that had asked before it was read.
    fn seen(&self, stamp: &Stamp, arrived: Instant) -> Option<ImageId> {
        let seen = *self.state().files.get(stamp)?;
        (seen.settled || seen.began >= arrived).then_some(seen.image)
    }

    fn read(&self, file: &Path, arrived: Instant) -> Result<ImageId, ImageProblem> {
        let stamp = source::stamp(file)?;
        if let Some(image) = self.seen(&stamp, arrived) {
            return Ok(image);
        }
        let began = Instant::now();
        if let Some(image) = self.loader.recall(&stamp) {
            self.state().files.insert(stamp, Seen { image, settled: true, began }, 0);
            return Ok(image);
        }
        let found = source::identify(file)?;
        let seen = Seen { image: found.image, settled: found.settled, began };
        self.state().files.insert(found.stamp, seen, 0);
        if found.settled {
            self.loader.remember(&found.stamp, &found.image);
        }
        Ok(found.image)
    }

    fn find(self: &Arc<Self>, id: ImageId) -> Found {
        let mut state = self.state();
        if let Some(image) = state.ready.get(&id) {
            return Found::Done(Ok(image.clone()));
        }
        if let Some((problem, since)) = state.failed.get(&id) {
            if since.elapsed() < FAILED_FOR {
                return Found::Done(Err(problem.clone()));
            }
            state.failed.remove(&id);
        }
        if let Some(waiting) = state.loading.get(&id) {
            return Found::Loading(waiting.clone());
        }
        let (answer, waiting) = watch::channel(None);
        state.loading.insert(id, waiting.clone());
        Found::Nothing(Loading { shared: self.clone(), id, answer }, waiting)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An image that is being loaded. When this is dropped the next one may try.
struct Loading {
    shared: Arc<Shared>,
    id: ImageId,
    answer: watch::Sender<Option<Outcome>>,
}

impl Drop for Loading {
    fn drop(&mut self) {
        self.shared.state().loading.remove(&self.id);
    }
}

impl Loading {
    async fn run(self, path: std::path::PathBuf) {
        let outcome = self.outcome(&path).await.map(Arc::new);
        let left = {
            let mut state = self.shared.state();
            match &outcome {
                Ok(image) => state.ready.insert(self.id, image.clone(), image.code()),
                Err(problem) if problem.is_lasting() => {
                    state.failed.insert(self.id, (problem.clone(), Instant::now()), 0);
                    Vec::new()
                }
                Err(_) => Vec::new(),
            }
        };
        // Unmapping code takes longer than others should wait for the lock.
        drop(left);
        self.answer.send_replace(Some(outcome));
    }

    async fn outcome(&self, path: &Path) -> Result<Image, ImageProblem> {
        let (shared, id) = (self.shared.clone(), self.id);
        if let Some(outcome) = blocking(move || Ok(shared.loader.cached(id))).await? {
            return outcome;
        }
        let turn = self.shared.compiling.clone().acquire_owned().await.map_err(|_| stopped())?;
        let (shared, path) = (self.shared.clone(), path.to_owned());
        let (answer, answered) = oneshot::channel();
        // A thread of its own and not one of the runtime's, which would wait for it when it shuts down.
        let compile = move || {
            let _turn = turn;
            let cancelled = || shared.closed.load(Ordering::Relaxed) || answer.is_closed();
            let outcome = shared.loader.load(id, &path, &cancelled);
            // Nobody may be waiting any more.
            let _ = answer.send(outcome);
        };
        std::thread::Builder::new()
            .name("rolebox-compile".to_owned())
            .spawn(compile)
            .map_err(|error| ImageProblem::Engine(format!("a thread to compile on cannot be started: {error}")))?;
        answered.await.unwrap_or_else(|_| Err(stopped()))
    }
}

fn stopped() -> ImageProblem {
    ImageProblem::Engine("the thread that it was loaded on stopped unexpectedly".to_owned())
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ImageProblem> + Send + 'static,
) -> Result<T, ImageProblem> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(stopped()))
}
