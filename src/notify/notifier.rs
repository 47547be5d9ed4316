//! Sends notices in the background. Knows not what became of a delivery's end, nor the clock.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::timeout;

use super::attempts::{attempt, std_duration};
use super::{
    Delivery, DropReason, MailAddress, Notice, NoticeNumber, NotifySettings, Now, Outcome,
    StartError, Undeliverable, Ways, WebhookUrl, mail, slack_body, webhook_body,
};
use crate::chance::Chance;
use crate::engine::{Channel, Notification};
use crate::units::{Duration, RequestId};

/// Sends notices in the background: to whom rules name, and to the webhook of the settings.
///
/// Every message's end comes out as a [`Delivery`]. There is room for 1,000 messages; what comes
/// beyond that is dropped and told. Messages are sent side by side, so they can arrive in another
/// order: each says when it happened.
#[derive(Debug)]
pub struct Notifier {
    runtime: Handle,
    sending: Arc<Sending>,
    /// By which notices go from now on; those under way keep theirs.
    ways: Mutex<Arc<Ways>>,
    places: Arc<Semaphore>,
    draining: AtomicBool,
    numbers: AtomicU64,
}

/// What a notifier is given once and for all.
#[derive(Debug)]
pub struct Around {
    /// On what its deliveries run.
    pub runtime: Handle,
    /// What its waits are drawn from.
    pub chance: Chance,
    /// What signatures have their instant from.
    pub now: Now,
    /// Where the end of every message comes out.
    pub outcomes: mpsc::Sender<Delivery>,
}

/// What all deliveries share, whatever the settings.
#[derive(Debug)]
struct Sending {
    chance: Chance,
    now: Now,
    lanes: Lanes,
    outcomes: mpsc::Sender<Delivery>,
    stop: watch::Sender<bool>,
    /// How many messages wait or are being sent, by channel.
    queued: [AtomicU64; Channel::ALL.len()],
}

/// How many attempts are made at once: those at one channel do not hold up another.
#[derive(Debug)]
struct Lanes {
    slack: Semaphore,
    mail: Semaphore,
    webhook: Semaphore,
}

/// One message of a notice. Not `Debug`: an address can be a secret.
struct Job {
    number: NoticeNumber,
    channel: Channel,
    /// As the rules have it; not for showing.
    to: String,
    notice: Arc<Notice>,
    ways: Arc<Ways>,
}

impl Notifier {
    /// A notifier that sends as `settings` say.
    ///
    /// # Errors
    /// TLS or a client cannot be set up.
    pub fn start(around: Around, settings: NotifySettings) -> Result<Self, StartError> {
        let Around { runtime, chance, now, outcomes } = around;
        let ways = Mutex::new(Arc::new(Ways::new(settings)?));
        let stop = watch::Sender::new(false);
        let (lanes, queued) = (Lanes::new(), Default::default());
        let sending = Arc::new(Sending { chance, now, lanes, outcomes, stop, queued });
        Ok(Self {
            runtime,
            sending,
            ways,
            places: Arc::new(Semaphore::new(PLACES as usize)),
            draining: AtomicBool::new(false),
            numbers: AtomicU64::new(0),
        })
    }

    /// Sends the notices that come from now on by other ways; those under way keep theirs.
    pub fn replace(&self, ways: Ways) {
        *self.lock() = Arc::new(ways);
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Ways>> {
        self.ways.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends `notice` to `recipients`, to the Slack webhook of the settings where they have none,
    /// and to the webhook of the settings whoever they are. Returns at once, from any thread, with
    /// the number that its deliveries carry.
    pub fn notify(&self, notice: Notice, recipients: &Notification) -> NoticeNumber {
        self.notify_rest(notice, recipients, &BTreeSet::new())
    }

    /// As [`Notifier::notify`], but by none of the channels `ended`: those by which it was told
    /// before.
    pub fn notify_rest(
        &self,
        notice: Notice,
        recipients: &Notification,
        ended: &BTreeSet<Channel>,
    ) -> NoticeNumber {
        let number = NoticeNumber(self.numbers.fetch_add(1, Ordering::Relaxed) + 1);
        let notice = Arc::new(notice);
        let ways = Arc::clone(&self.lock());
        let webhook = ways.webhook.as_ref().map(|url| url.secret().as_str());
        let slack = ways.slack.as_ref().map(|url| url.secret().as_str());
        let recipients = [
            (Channel::Slack, recipients.slack_webhook.as_deref().or(slack)),
            (Channel::Mail, recipients.email.as_deref()),
            (Channel::Webhook, webhook),
        ];
        for (channel, to) in recipients {
            if let Some(to) = to.filter(|_| !ended.contains(&channel)) {
                let (to, notice, ways) = (to.to_owned(), Arc::clone(&notice), Arc::clone(&ways));
                self.enqueue(Job { number, channel, to, notice, ways });
            }
        }
        number
    }

    /// Waits until everything that is queued has ended, for at most `deadline`; what has not by
    /// then is dropped and told. Notices that come meanwhile are dropped. Returns how many messages
    /// did not end in time.
    pub async fn drain(&self, deadline: Duration) -> usize {
        self.draining.store(true, Ordering::SeqCst);
        let all_ended = || self.places.acquire_many(PLACES);
        if timeout(std_duration(deadline), all_ended()).await.is_ok() {
            return 0;
        }
        let left = PLACES as usize - self.places.available_permits();
        self.sending.stop.send_replace(true);
        // They only have to tell their end now.
        drop(timeout(std_duration(TELLING), all_ended()).await);
        left
    }

    /// How many messages wait or are being sent by `channel`.
    pub fn queued(&self, channel: Channel) -> u64 {
        self.sending.queued[channel as usize].load(Ordering::Relaxed)
    }

    fn enqueue(&self, job: Job) {
        let place = match Arc::clone(&self.places).try_acquire_owned() {
            _ if self.draining.load(Ordering::SeqCst) => Err(DropReason::ShuttingDown),
            Ok(place) => Ok(place),
            Err(_) => Err(DropReason::QueueFull),
        };
        match place {
            Ok(place) => {
                self.sending.queued[job.channel as usize].fetch_add(1, Ordering::Relaxed);
                self.runtime.spawn(Arc::clone(&self.sending).send(job, place));
            }
            Err(why) => {
                let dropped = job.delivery(Outcome::Dropped { why });
                let sent = self.sending.outcomes.try_send(dropped);
                if let Err(TrySendError::Full(lost) | TrySendError::Closed(lost)) = sent {
                    log_untold(&lost);
                }
            }
        }
    }
}

impl Sending {
    /// Sends a message and tells its end; only then is its place free.
    async fn send(self: Arc<Self>, job: Job, _place: OwnedSemaphorePermit) {
        let mut stop = self.stop.subscribe();
        let outcome = tokio::select! {
            biased;
            outcome = self.outcome(&job) => outcome,
            _ = stop.wait_for(|stop| *stop) => {
                Outcome::Dropped { why: DropReason::ShuttingDown }
            }
        };
        let delivery = job.delivery(outcome);
        self.queued[job.channel as usize].fetch_sub(1, Ordering::Relaxed);
        // Who does not take the ends must not stop the messages.
        match timeout(std_duration(TELLING), self.outcomes.reserve()).await {
            Ok(Ok(place)) => place.send(delivery),
            Ok(Err(_)) | Err(_) => log_untold(&delivery),
        }
    }

    async fn outcome(&self, job: &Job) -> Outcome {
        let tried = match job.channel {
            Channel::Slack => self.post(job, slack_body(&job.notice)).await,
            Channel::Webhook => self.post(job, webhook_body(&job.notice)).await,
            Channel::Mail => self.mail(job).await,
        };
        tried.unwrap_or_else(|why| Outcome::Undeliverable { why })
    }

    async fn post(&self, job: &Job, body: serde_json::Value) -> Result<Outcome, Undeliverable> {
        let url = WebhookUrl::new(&job.to)?;
        let (body, id) = (Bytes::from(body.to_string()), job.notice.id());
        let secret = job.ways.signing.as_ref().filter(|_| job.channel == Channel::Webhook);
        let one = || {
            // Anew for each attempt: they can be a minute apart.
            let signature = secret.map(|secret| secret.sign(self.now.get(), &body));
            job.ways.poster.post(&url, body.clone(), &id, signature)
        };
        Ok(attempt(job.ways.pace, self.lanes.of(job.channel), self.draws(job), one).await)
    }

    async fn mail(&self, job: &Job) -> Result<Outcome, Undeliverable> {
        let (server, from) = job.ways.mail.as_ref().ok_or(Undeliverable::NoMailServer)?;
        let message = mail(&job.notice, from, &MailAddress::new(&job.to)?)?;
        let one = || server.send(&message);
        Ok(attempt(job.ways.pace, self.lanes.of(job.channel), self.draws(job), one).await)
    }

    fn draws(&self, job: &Job) -> crate::chance::Draws {
        self.chance.request(RequestId(job.number.0), job.channel as u8)
    }
}

impl Lanes {
    fn new() -> Self {
        let lane = || Semaphore::new(AT_ONCE);
        Self { slack: lane(), mail: lane(), webhook: lane() }
    }

    const fn of(&self, channel: Channel) -> &Semaphore {
        match channel {
            Channel::Slack => &self.slack,
            Channel::Mail => &self.mail,
            Channel::Webhook => &self.webhook,
        }
    }
}

impl Job {
    fn delivery(&self, outcome: Outcome) -> Delivery {
        let recipient = match self.channel {
            Channel::Mail => super::line::one_line(&self.to, LONGEST_RECIPIENT),
            Channel::Slack | Channel::Webhook => {
                WebhookUrl::new(&self.to).map_or_else(|_| String::new(), |url| url.to_string())
            }
        };
        Delivery {
            notice: self.number,
            model: self.notice.model.clone(),
            entry: self.notice.entry_number(),
            channel: self.channel,
            recipient,
            outcome,
        }
    }
}

fn log_untold(delivery: &Delivery) {
    tracing::warn!(target: "coalmine::notify", %delivery, "nobody takes the ends of deliveries");
}

/// Chosen: a notice takes a few kilobytes, so a full queue a few megabytes; nobody reads more.
const PLACES: u32 = 1_000;

/// Chosen: a burst of rollbacks of many models goes out within seconds, and no server is flooded.
const AT_ONCE: usize = 4;

/// How long the end of a delivery waits for its reader.
const TELLING: Duration = Duration::from_secs(5);

/// The longest address that SMTP has room for, RFC 5321, 4.5.3.1.3.
const LONGEST_RECIPIENT: usize = 254;

#[cfg(test)]
mod tests {
    use super::super::notice::tests::rollback;
    use super::super::stand_in::{Answer, MailStandIn, WebStandIn};
    use super::super::{Failure, MailSecurity, MailSettings, Pace, SigningSecret};
    use super::*;

    /// Waits of a millisecond and less: what a server asks for is granted up to that.
    fn fast() -> NotifySettings {
        let wait = Duration::from_millis(1);
        let pace = Pace { first_wait: wait, longest_wait: wait, ..Pace::default() };
        NotifySettings { pace, ..NotifySettings::default() }
    }

    fn start(settings: NotifySettings) -> (Notifier, mpsc::Receiver<Delivery>) {
        let (outcomes, ends) = mpsc::channel(4_000);
        let chance = Chance::new(1, 0);
        let now = Now::new(|| crate::units::Timestamp::from_second(1_700_000_000));
        let around = Around { runtime: Handle::current(), chance, now, outcomes };
        (Notifier::start(around, settings).unwrap(), ends)
    }

    fn slack(url: &str) -> Notification {
        Notification { slack_webhook: Some(url.to_owned()), email: None }
    }

    fn email(address: &str) -> Notification {
        Notification { slack_webhook: None, email: Some(address.to_owned()) }
    }

    fn mail_by(server: &MailStandIn) -> NotifySettings {
        let mail = MailSettings {
            host: server.address.ip().to_string(),
            port: server.address.port(),
            security: MailSecurity::Plain,
            from: MailAddress::new("canary@example.com").unwrap(),
            login: None,
        };
        NotifySettings { mail: Some(mail), ..fast() }
    }

    /// The end of one notice to `recipients`.
    async fn end(settings: NotifySettings, recipients: &Notification) -> Delivery {
        let (notifier, mut ends) = start(settings);
        let number = notifier.notify(rollback(), recipients);
        let delivery = ends.recv().await.unwrap();
        assert_eq!(delivery.notice, number);
        delivery
    }

    #[tokio::test]
    async fn slack_that_fails_twice_gets_the_message_at_the_third_attempt() {
        let failing = || Answer::status("500 Oh", "", "");
        let answers = vec![failing(), failing(), Answer::status("200 OK", "", "ok")];
        let server = WebStandIn::start(answers).await;
        let delivery = end(fast(), &slack(&server.url("/services/secret"))).await;
        assert_eq!(
            delivery.to_string(),
            "notice 1 by slack to http://127.0.0.1: delivered after 3 attempts"
        );
        let requests = server.requests();
        assert_eq!(requests.len(), 3);
        assert!(requests.iter().all(|request| *request == requests[0]), "the same every time");
        let (_, body) = requests[0].split_once("\r\n\r\n").unwrap();
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(body, slack_body(&rollback()));
    }

    #[tokio::test]
    async fn a_limited_rate_is_waited_for() {
        let limited = Answer::status("429 Slow", "retry-after: 30\r\n", "rate_limited");
        let server = WebStandIn::start(vec![limited, Answer::status("200 OK", "", "ok")]).await;
        let delivery = end(fast(), &slack(&server.url("/"))).await;
        assert_eq!(delivery.outcome, Outcome::Delivered { attempts: 2 });
    }

    #[tokio::test]
    async fn a_webhook_that_hangs_is_given_up() {
        let server = WebStandIn::start(vec![Answer::Hang]).await;
        let settings = fast();
        let timeout = Duration::from_millis(20);
        let pace = Pace { timeout, ..settings.pace };
        let delivery =
            end(NotifySettings { pace, ..settings }, &slack(&server.url("/secret"))).await;
        let why = Failure::Timeout { after: timeout };
        assert_eq!(delivery.outcome, Outcome::GivenUp { attempts: 4, why });
    }

    #[tokio::test]
    async fn a_webhook_that_closes_is_given_up_without_showing_its_address() {
        let server = WebStandIn::start(vec![Answer::Close]).await;
        let delivery = end(fast(), &slack(&server.url("/secret"))).await;
        let shown = format!("{delivery} {delivery:?}");
        assert!(shown.contains("given up after 4 attempts: the connection failed"), "{shown}");
        assert!(!shown.contains("secret"), "{shown}");
    }

    #[tokio::test]
    async fn a_revoked_webhook_is_tried_once() {
        let gone = Answer::status("404 Not Found", "", "no_service");
        let server = WebStandIn::start(vec![gone]).await;
        let delivery = end(fast(), &slack(&server.url("/"))).await;
        assert!(
            delivery.to_string().ends_with("given up after 1 attempt: answered 404 (no_service)")
        );
        assert_eq!(server.requests().len(), 1);
    }

    #[tokio::test]
    async fn greylisted_mail_arrives_at_the_second_attempt() {
        let server = MailStandIn::start(|connection, line| {
            let greylisted = connection == 0 && line.starts_with("RCPT");
            greylisted.then_some("450 4.7.1 greylisted, try again\r\n")
        });
        let server = server.await;
        let delivery = end(mail_by(&server), &email("ops@example.org")).await;
        assert_eq!(
            delivery.to_string(),
            "notice 1 by mail to ops@example.org: delivered after 2 attempts"
        );
        assert_eq!(server.mails().len(), 1);
    }

    #[tokio::test]
    async fn what_rules_name_wrongly_is_told_and_hurts_nothing() {
        let server = MailStandIn::start(|_, _| None).await;
        let placeholder = end(mail_by(&server), &email("[email protected]")).await;
        assert_eq!(
            placeholder.to_string(),
            "notice 1 by mail to [email protected]: undeliverable: \"[email protected]\" is no \
             e-mail address: allowed is one, such as ops@example.com"
        );
        assert!(server.said().is_empty());
        let unserved = end(fast(), &email("ops@example.org")).await;
        let why = Undeliverable::NoMailServer;
        assert_eq!(unserved.outcome, Outcome::Undeliverable { why });
        let unknown = end(fast(), &slack("hooks.slack.com/services/T0KEN")).await;
        assert!(matches!(unknown.outcome, Outcome::Undeliverable { .. }));
        assert!(!format!("{unknown} {unknown:?}").contains("T0KEN"), "{unknown:?}");
    }

    #[tokio::test]
    async fn the_webhook_of_the_settings_gets_every_notice() {
        let server = WebStandIn::start(vec![Answer::status("204 Fine", "", "")]).await;
        let webhook = WebhookUrl::new(&server.url("/hook")).ok();
        let settings = NotifySettings { webhook, ..fast() };
        let delivery = end(settings, &Notification::default()).await;
        assert_eq!(delivery.channel, Channel::Webhook);
        assert_eq!(delivery.outcome, Outcome::Delivered { attempts: 1 });
        let body = server.requests().remove(0);
        let (_, body) = body.split_once("\r\n\r\n").unwrap();
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(body, webhook_body(&rollback()));
    }

    #[tokio::test]
    async fn messages_to_the_webhook_of_the_settings_are_signed_and_no_others() {
        let server = WebStandIn::start(vec![Answer::status("204 Fine", "", "")]).await;
        let webhook = WebhookUrl::new(&server.url("/hook")).ok();
        let slack_of_all = WebhookUrl::new(&server.url("/slack")).ok();
        let signing = Some(SigningSecret::new("s3cret"));
        let settings = NotifySettings { webhook, slack: slack_of_all, signing, ..fast() };
        let (notifier, mut ends) = start(settings);
        // Rules that name no Slack webhook have that of the settings.
        notifier.notify(rollback(), &Notification::default());
        for _ in 0..2 {
            assert!(ends.recv().await.unwrap().outcome.is_delivered());
        }
        let requests = server.requests();
        let of = |path: &str| {
            let start = format!("POST {path} ");
            let request = requests.iter().find(|request| request.starts_with(&start)).unwrap();
            let (head, body) = request.split_once("\r\n\r\n").unwrap();
            let header = head.lines().find_map(|line| line.strip_prefix("x-coalmine-signature: "));
            (header.map(str::to_owned), body.to_owned())
        };
        let (signature, body) = of("/hook");
        let at = crate::units::Timestamp::from_second(1_700_000_000);
        let expected = SigningSecret::new("s3cret").sign(at, body.as_bytes());
        assert_eq!(signature, Some(expected));
        let (signature, body) = of("/slack");
        assert_eq!(signature, None);
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&body).unwrap(),
            slack_body(&rollback())
        );
    }

    #[tokio::test]
    async fn one_channel_that_hangs_holds_up_no_other() {
        let hanging = WebStandIn::start(vec![Answer::Hang]).await;
        let server = MailStandIn::start(|_, _| None).await;
        let (notifier, mut ends) = start(mail_by(&server));
        let both = Notification {
            slack_webhook: Some(hanging.url("/")),
            email: Some("ops@example.org".to_owned()),
        };
        for _ in 0..10 {
            notifier.notify(rollback(), &both);
        }
        for _ in 0..10 {
            let delivery = ends.recv().await.unwrap();
            assert_eq!(delivery.channel, Channel::Mail);
            assert!(delivery.outcome.is_delivered(), "{delivery}");
        }
    }

    #[tokio::test]
    async fn what_the_queue_has_no_room_for_is_dropped_and_told() {
        let hanging = WebStandIn::start(vec![Answer::Hang]).await;
        let (notifier, mut ends) = start(fast());
        for _ in 0..1_003 {
            notifier.notify(rollback(), &slack(&hanging.url("/secret")));
        }
        for number in 1_001..=1_003 {
            let delivery = ends.recv().await.unwrap();
            let why = DropReason::QueueFull;
            assert_eq!((delivery.notice.0, delivery.outcome), (number, Outcome::Dropped { why }));
            assert_eq!(delivery.recipient, "http://127.0.0.1");
        }
    }

    #[tokio::test]
    async fn draining_waits_for_what_is_queued() {
        let server = WebStandIn::start(vec![Answer::status("200 OK", "", "ok")]).await;
        let (notifier, mut ends) = start(fast());
        for _ in 0..20 {
            notifier.notify(rollback(), &slack(&server.url("/")));
        }
        assert_eq!(notifier.drain(Duration::from_secs(60)).await, 0);
        for _ in 0..20 {
            assert!(ends.try_recv().unwrap().outcome.is_delivered());
        }
        notifier.notify(rollback(), &slack(&server.url("/")));
        let why = DropReason::ShuttingDown;
        assert_eq!(ends.try_recv().unwrap().outcome, Outcome::Dropped { why });
        assert_eq!(server.requests().len(), 20);
    }

    #[tokio::test]
    async fn what_is_still_queued_at_the_deadline_is_dropped_and_told() {
        let hanging = WebStandIn::start(vec![Answer::Hang]).await;
        let (notifier, mut ends) = start(fast());
        for _ in 0..6 {
            notifier.notify(rollback(), &slack(&hanging.url("/")));
        }
        assert_eq!(notifier.drain(Duration::from_millis(10)).await, 6);
        for _ in 0..6 {
            let why = DropReason::ShuttingDown;
            assert_eq!(ends.try_recv().unwrap().outcome, Outcome::Dropped { why });
        }
    }

    #[tokio::test]
    async fn without_a_reader_of_the_ends_messages_are_sent_all_the_same() {
        let server = WebStandIn::start(vec![Answer::status("200 OK", "", "ok")]).await;
        let (notifier, ends) = start(fast());
        drop(ends);
        notifier.notify(rollback(), &slack(&server.url("/")));
        assert_eq!(notifier.drain(Duration::from_secs(60)).await, 0);
        assert_eq!(server.requests().len(), 1);
    }
}
