//! Behaviour of tables.

use super::{Account, behaviours};
use crate::storage::{Entity, Etag, Filter, Op, Query, StoreError, Value};

behaviours!(
    a_row_reads_back_with_every_type,
    keys_with_quotes_and_other_letters_are_kept_apart,
    a_row_is_inserted_once,
    a_replace_needs_the_etag_that_was_read,
    an_upsert_writes_whatever_is_there,
    a_delete_needs_a_row_and_its_etag_if_given,
    a_transaction_is_done_whole,
    a_transaction_that_fails_names_the_operation_and_changes_nothing,
    a_transaction_that_cannot_be_is_refused_before_it_is_sent,
    a_hundred_operations_fit_in_a_transaction,
    a_query_filters_selects_and_orders,
    a_query_goes_on_over_pages_up_to_a_cap,
    filters_compare_every_type,
    a_missing_table_is_named,
    what_cannot_be_stored_is_refused,
);

fn row(row: &str) -> Entity {
    Entity::new("p", row).with("n", 1)
}

async fn a_row_reads_back_with_every_type(account: &Account) {
    let (tables, table) = (&account.storage.tables, account.table("types").await);
    tables.create_table_if_missing(&table).await.unwrap();
    let wanted = Entity::new("p", "r")
        .with("text", "é \" ' \n \u{1F600} &<>")
        .with("empty", "")
        .with("int", i32::MIN)
        .with("long", i64::MAX)
        .with("double", 2.0)
        .with("small", 1e-7)
        .with("infinite", f64::INFINITY)
        .with("yes", true)
        .with("at", "2026-01-02T03:04:05.123456789Z".parse::<jiff::Timestamp>().unwrap())
        .with("bytes", vec![0_u8, 1, 254, 255])
        .with("id", uuid::Uuid::from_u128(42));
    let etag = tables.insert(&table, &wanted).await.unwrap();
    let got = tables.get(&table, "p", "r").await.unwrap().unwrap();
    assert_eq!(got.etag.as_ref(), Some(&etag));
    assert!(got.timestamp.is_some());
    assert_eq!(got.time("at").unwrap().to_string(), "2026-01-02T03:04:05.1234567Z");
    let mut kept = wanted.properties.clone();
    kept.insert("at".to_owned(), got.get("at").unwrap().clone());
    assert_eq!(got.properties, kept);
    assert_eq!(tables.get(&table, "p", "other").await.unwrap(), None);
}

async fn keys_with_quotes_and_other_letters_are_kept_apart(account: &Account) {
    let (tables, table) = (&account.storage.tables, account.table("keys").await);
    let keys = ["it's", "its", "a+b %41", "org:x:1|é", "') or (1 eq 1", "a b", "&x=1;,@", "peering|A", "peering|a"];
    for (n, key) in (0_i32..).zip(keys) {
        tables.insert(&table, &Entity::new(key, key).with("n", n)).await.unwrap();
    }
    for (n, key) in (0_i32..).zip(keys) {
        let got = tables.get(&table, key, key).await.unwrap().unwrap();
        assert_eq!((got.row.as_str(), got.get("n")), (key, Some(&Value::Int(n))));
        let found = tables.query(&table, &Query::filter(Filter::partition(key)), 10).await.unwrap();
        assert_eq!(found.entities.len(), 1, "{key}");
        let ops = vec![Op::Replace(Entity::new(key, key), got.etag.unwrap())];
        tables.transact(&table, ops).await.unwrap();
        tables.delete(&table, key, key, None).await.unwrap();
    }
}

async fn a_row_is_inserted_once(account: &Account) {
    let (tables, table) = (&account.storage.tables, account.table("insert").await);
    tables.insert(&table, &row("r")).await.unwrap();
    let error = tables.insert(&table, &row("r")).await.unwrap_err();
    assert!(matches!(&error, StoreError::Conflict { what, op: None } if what.contains("\"r\"")), "{error}");
}

async fn a_replace_needs_the_etag_that_was_read(account: &Account) {
    let (tables, table) = (&account.storage.tables, account.table("replace").await);
    let missing = tables.replace(&table, &row("r"), &Etag::new("*")).await.unwrap_err();
    assert!(matches!(missing, StoreError::NotFound { .. }), "{missing}");
    let first = tables.insert(&table, &row("r").with("old", true)).await.unwrap();
    let second = tables.replace(&table, &row("r").with("new", true), &first).await.unwrap();
    assert_ne!(first, second);
    let stale = tables.replace(&table, &row("r"), &first).await.unwrap_err();
    assert!(matches!(stale, StoreError::PreconditionFailed { .. }), "{stale}");
    let got = tables.get(&table, "p", "r").await.unwrap().unwrap();
    assert_eq!((got.bool("new"), got.bool("old"), got.etag), (Some(true), None, Some(second)));
}

async fn an_upsert_writes_whatever_is_there(account: &Account) {
    let (tables, table) = (&account.storage.tables, account.table("upsert").await);
    tables.upsert(&table, &row("r").with("old", true)).await.unwrap();
    let etag = tables.upsert(&table, &row("r")).await.unwrap();
    let got = tables.get(&table, "p", "r").await.unwrap().unwrap();
    assert_eq!((got.etag.as_ref(), got.bool("old")), (Some(&etag), None));
}

async fn a_delete_needs_a_row_and_its_etag_if_given(account: &Account) {
    let (tables, table) = (&account.storage.tables, account.table("delete").await);
    let first = tables.insert(&table, &row("r")).await.unwrap();
    let second = tables.upsert(&table, &row("r")).await.unwrap();
    let stale = tables.delete(&table, "p", "r", Some(&first)).await.unwrap_err();
    assert!(matches!(stale, StoreError::PreconditionFailed { .. }), "{stale}");
    tables.delete(&table, "p", "r", Some(&second)).await.unwrap();
    let gone = tables.delete(&table, "p", "r", None).await.unwrap_err();
    assert!(matches!(gone, StoreError::NotFound { .. }), "{gone}");
    assert_eq!(tables.get(&table, "p", "r").await.unwrap(), None);
}

async fn a_transaction_is_done_whole(account: &Account) {
    let (tables, table) = (&account.storage.tables, account.table("whole").await);
    let etag = tables.insert(&table, &row("a")).await.unwrap();
    tables.insert(&table, &row("d")).await.unwrap();
    let ops = vec![
        Op::Replace(row("a").with("seq", 2_i64), etag),
        Op::Insert(row("b").with("text", "line\r\n--changeset_of_operations--\r\nHTTP/1.1 500 no")),
        Op::Upsert(row("c")),
        Op::Delete { partition: "p".to_owned(), row: "d".to_owned(), etag: None },
    ];
    let etags = tables.transact(&table, ops).await.unwrap();
    let got = tables.query(&table, &Query::default(), 10).await.unwrap();
    let expected: Vec<_> = got.entities.iter().map(|row| row.etag.clone()).chain([None]).collect();
    assert_eq!(etags, expected);
    assert_eq!(got.entities.iter().map(|row| row.row.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(got.entities[0].long("seq"), Some(2));
    assert!(got.entities[1].str("text").unwrap().contains("--changeset"));
}

async fn a_transaction_that_fails_names_the_operation_and_changes_nothing(account: &Account) {
    let (tables, table) = (&account.storage.tables, account.table("fails").await);
    let stale = tables.insert(&table, &row("a")).await.unwrap();
    let etag = tables.upsert(&table, &row("a")).await.unwrap();
    let exists = vec![Op::Insert(row("b")), Op::Insert(row("a"))];
    let error = tables.transact(&table, exists).await.unwrap_err();
    assert!(matches!(&error, StoreError::Conflict { op: Some(1), what } if what.contains("\"a\"")), "{error}");
    let moved = vec![Op::Replace(row("a"), stale), Op::Insert(row("b"))];
    let error = tables.transact(&table, moved).await.unwrap_err();
    assert!(matches!(error, StoreError::PreconditionFailed { op: Some(0), .. }), "{error}");
    let gone = vec![Op::Insert(row("b")), Op::Upsert(row("c")), Op::Replace(row("x"), Etag::new("*"))];
    let error = tables.transact(&table, gone).await.unwrap_err();
    assert!(matches!(error, StoreError::NotFound { op: Some(2), .. }), "{error}");
    let rows = tables.query(&table, &Query::default(), 10).await.unwrap().entities;
    assert_eq!((rows.len(), rows[0].etag.as_ref()), (1, Some(&etag)));
}

async fn a_transaction_that_cannot_be_is_refused_before_it_is_sent(account: &Account) {
    let (tables, table) = (&account.storage.tables, account.table("refused").await);
    let other = Entity::new("q", "r");
    for (ops, reason) in [
        (vec![], "1 to 100"),
        (vec![Op::Insert(row("a")), Op::Insert(other)], "one partition"),
        (vec![Op::Insert(row("a")), Op::Upsert(row("a"))], "one operation a row"),
        (vec![Op::Insert(row("a")), Op::Insert(row("b/c"))], "cannot hold"),
        ((0..101).map(|n| Op::Insert(row(&n.to_string()))).collect(), "1 to 100"),
    ] {
        let error = tables.transact(&table, ops).await.unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
}

async fn a_hundred_operations_fit_in_a_transaction(account: &Account) {
    let (tables, table) = (&account.storage.tables, account.table("hundred").await);
    let ops = (0..100).map(|n| Op::Insert(row(&format!("{n:03}")))).collect();
    assert_eq!(tables.transact(&table, ops).await.unwrap().iter().flatten().count(), 100);
}

async fn a_query_filters_selects_and_orders(account: &Account) {
    let (tables, table) = (&account.storage.tables, account.table("query").await);
    for key in ["peering|b", "journal|a", "peering|a", "peering}", "peering"] {
        tables.insert(&table, &row(key).with("status", "Active").with("big", "x")).await.unwrap();
    }
    tables.insert(&table, &Entity::new("q", "peering|a")).await.unwrap();
    let filter = Filter::partition("p").and(Filter::row_prefix("peering|"));
    let rows = tables.query(&table, &Query::filter(filter).select(&["status", "absent"]), 10).await.unwrap();
    assert!(!rows.cut);
    assert_eq!(rows.entities.iter().map(|row| row.row.as_str()).collect::<Vec<_>>(), ["peering|a", "peering|b"]);
    let first = &rows.entities[0];
    assert_eq!((first.str("status"), first.properties.len()), (Some("Active"), 1));
    assert!(first.etag.is_some() && first.timestamp.is_some());
    let kept = tables.get(&table, "p", "peering|a").await.unwrap().unwrap();
    assert_eq!(kept.etag, first.etag);
}

async fn a_query_goes_on_over_pages_up_to_a_cap(account: &Account) {
    let (tables, table) = (&account.storage.tables, account.table("pages").await);
    for batch in 0..11 {
        let ops = (0..100).map(|n| Op::Insert(row(&format!("{:05}", batch * 100 + n)))).collect();
        tables.transact(&table, ops).await.unwrap();
    }
    let first = tables.page(&table, &Query::default(), None).await.unwrap();
    assert_eq!(first.entities.len(), 1000);
    let second = tables.page(&table, &Query::default(), first.next.as_ref()).await.unwrap();
    assert_eq!((second.entities.len(), second.next), (100, None));
    assert_eq!(second.entities[0].row, "01000");
    let all = tables.query(&table, &Query::default(), 5000).await.unwrap();
    assert_eq!((all.entities.len(), all.cut), (1100, false));
    let exact = tables.query(&table, &Query::default(), 1100).await.unwrap();
    assert_eq!((exact.entities.len(), exact.cut), (1100, false));
    let some = tables.query(&table, &Query::default(), 1050).await.unwrap();
    assert_eq!((some.entities.len(), some.cut), (1050, true));
}

async fn filters_compare_every_type(account: &Account) {
    let (tables, table) = (&account.storage.tables, account.table("compare").await);
    let at = |second| jiff::Timestamp::from_second(second).unwrap();
    let filled = |name: &str, n: i32| {
        let (bytes, id) = (vec![u8::try_from(n).unwrap()], uuid::Uuid::from_u128(n.unsigned_abs().into()));
        let row = Entity::new("p", name).with("int", n).with("long", i64::from(n)).with("double", f64::from(n) + 0.5);
        row.with("bool", n > 1).with("at", at(n.into())).with("bytes", bytes).with("id", id).with("text", n.to_string())
    };
    tables.insert(&table, &filled("one", 1)).await.unwrap();
    tables.insert(&table, &filled("two", 2)).await.unwrap();
    tables.insert(&table, &Entity::new("p", "none")).await.unwrap();
    let name = str::to_owned;
    for (filter, found) in [
        (Filter::eq("int", 1), vec!["one"]),
        (Filter::Gt(name("long"), 1_i64.into()), vec!["two"]),
        (Filter::Ge(name("long"), 1_i64.into()), vec!["one", "two"]),
        (Filter::Lt(name("double"), 2.5.into()), vec!["one"]),
        (Filter::Le(name("double"), 2.5.into()), vec!["one", "two"]),
        (Filter::eq("bool", true), vec!["two"]),
        (Filter::Le(name("at"), at(1).into()), vec!["one"]),
        (Filter::eq("bytes", vec![2_u8]), vec!["two"]),
        (Filter::eq("id", uuid::Uuid::from_u128(1)), vec!["one"]),
        (Filter::eq("text", "2"), vec!["two"]),
        (Filter::eq("text", "1").or(Filter::eq("int", 2)), vec!["one", "two"]),
        (Filter::eq("text", "1").and(Filter::eq("int", 2)), vec![]),
        (Filter::Ne(name("int"), 1.into()), vec!["two"]),
        (Filter::eq("text", "' or true or 'x' eq '"), vec![]),
    ] {
        let rows = tables.query(&table, &Query::filter(filter.clone()), 10).await.unwrap().entities;
        assert_eq!(rows.iter().map(|row| row.row.as_str()).collect::<Vec<_>>(), found, "{filter}");
    }
}

async fn a_missing_table_is_named(account: &Account) {
    let (tables, table) = (&account.storage.tables, account.name("missing"));
    let named = |error: StoreError| {
        assert!(matches!(&error, StoreError::NotFound { what, .. } if *what == format!("table {table}")), "{error}");
    };
    named(tables.get(&table, "p", "r").await.unwrap_err());
    named(tables.insert(&table, &row("r")).await.unwrap_err());
    named(tables.upsert(&table, &row("r")).await.unwrap_err());
    named(tables.query(&table, &Query::default(), 1).await.unwrap_err());
    named(tables.transact(&table, vec![Op::Insert(row("r"))]).await.unwrap_err());
}

async fn what_cannot_be_stored_is_refused(account: &Account) {
    let (tables, table) = (&account.storage.tables, account.table("limits").await);
    for entity in [
        Entity::new("a/b", "r"),
        Entity::new("p", "r\u{7}"),
        Entity::new("p", "x".repeat(513)),
        row("r").with("a-b", 1),
        row("r").with("RowKey", 1),
        row("r").with("text", "x".repeat(32 * 1024 + 1)),
        row("r").with("bytes", vec![0_u8; 64 * 1024 + 1]),
    ] {
        let error = tables.insert(&table, &entity).await.unwrap_err();
        assert!(matches!(error, StoreError::Other { status: None, .. }), "{error}");
    }
    let most = row("r").with("text", "é".repeat(32 * 1024)).with("bytes", vec![1_u8; 64 * 1024]);
    tables.insert(&table, &most).await.unwrap();
    assert_eq!(tables.get(&table, "p", "r").await.unwrap().unwrap().properties, most.properties);
}
