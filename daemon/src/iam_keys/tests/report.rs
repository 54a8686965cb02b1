use super::*;
use crate::aws::iam::{LastUse, ServiceCredential};

fn service(id: &str, made: i64) -> ServiceCredential {
    ServiceCredential {
        id: id.to_owned(),
        service: "codecommit.amazonaws.com".to_owned(),
        is_active: true,
        created_at: Some(from_unix_seconds(made)),
        expires_at: None,
    }
}

#[tokio::test]
async fn the_unused_and_the_oldest_come_first_and_what_may_not_be_asked_hides_nothing_else() {
    let world = World::imported().await;
    {
        let mut iam = world.aws.iam.lock().unwrap();
        iam.keys.push(ScriptedIam::key("AKIAOTHEROTHEROTHER2", from_unix_seconds(NOW)));
        let used = LastUse { at: from_unix_seconds(NOW), service: "s3".to_owned(), region: "eu-west-1".to_owned() };
        iam.uses.insert(OLD.to_owned(), used);
        iam.service_credentials = vec![service("ACCANEWNEWNEWNEWNEW2", NOW), service("ACCAOLDOLDOLDOLDOLD1", 1)];
    }
    let report = world.keeper.report(&alice()).await.unwrap();
    let seen: Vec<_> = report.keys.iter().map(|key| (key.id.as_str(), key.kept, key.last_used.is_some())).collect();
    assert_eq!(seen, [("AKIAOTHEROTHEROTHER2", None, false), (OLD, Some(KeyState::InUse), true)]);
    let ids: Vec<_> = report.for_services.unwrap().into_iter().map(|one| one.id).collect();
    assert_eq!(ids, ["ACCAOLDOLDOLDOLDOLD1", "ACCANEWNEWNEWNEWNEW2"]);

    let denied = ScriptedIam::refused("ListServiceSpecificCredentials", "AccessDenied");
    world.aws.iam.lock().unwrap().failures.push_back(("ListServiceSpecificCredentials", denied));
    let report = world.keeper.report(&alice()).await.unwrap();
    assert_eq!(report.keys.len(), 2);
    assert!(matches!(report.for_services, Err(Problem::Aws(_))), "{:?}", report.for_services);
}
