"""Settings from the environment."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest
from pydantic import ValidationError

from signaling.settings import Settings, signing_key
from tests.serving import UNLIMITED


def test_every_setting_explains_itself() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_the_well_known_names_work_and_ours_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "s")
    monkeypatch.setenv("DATABASE_URL", "postgres://u:p@db/lacquer")
    monkeypatch.setenv("AI_TRYON_SERVICE_URL", "http://worker:8001")
    monkeypatch.setenv("DEBUG", "1")
    monkeypatch.setenv("LACQUER_ICE_SERVERS", '[{"urls": ["stun:stun.example"]}]')
    settings = Settings()
    assert (settings.secret_key, settings.worker_url, settings.debug) == ("s", "http://worker:8001", True)
    assert settings.async_database_url == "postgresql+asyncpg://u:p@db/lacquer"
    assert settings.ice_servers[0].urls == ["stun:stun.example"]
    monkeypatch.setenv("LACQUER_SECRET_KEY", "ours")
    assert Settings().secret_key == "ours"


def test_workers_are_named_by_one_url_or_several(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().worker_urls == ["http://127.0.0.1:8001"]
    monkeypatch.setenv("AI_TRYON_SERVICE_URL", "http://a:8001, http://b:8001/,")
    assert Settings().worker_urls == ["http://a:8001", "http://b:8001/"]


def test_redis_is_known_by_its_usual_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://cache:6379/0")
    assert Settings().redis_url == "redis://cache:6379/0"
    monkeypatch.setenv("LACQUER_REDIS_URL", "rediss://:password@ours:6379/0")
    assert Settings().redis_url == "rediss://:password@ours:6379/0"
    assert "password" not in repr(Settings())
    monkeypatch.setenv("LACQUER_REDIS_URL", "")
    assert Settings().redis_url is None


def test_secrets_do_not_show_in_logs() -> None:
    shown = repr(Settings(secret_key="topsecret", worker_secret="alsosecret", admin_token="a secret for admins"))
    assert "secret" not in shown.replace("secret_key", "").replace("worker_secret", "")


@pytest.mark.parametrize(
    "wrong",
    [
        {"port": 70000},
        {"public_url": "nails.example"},
        {"public_url": "https://a/b"},
        {"jwks_url": "http://id.example/keys"},
        {"jwks_url": "http://localhost.evil.example/keys"},
        {"jwks_url": "file:///etc/passwd"},
        {"jwt_audience": "session"},
        {"trusted_proxies": "10.0.0.0/8, nobody"},
        {"trusted_proxies": "10.0.0.1/8"},
        {"rate_uploads": -1},
        {"worker_url": "worker:8001"},
        {"worker_url": " , "},
        {"redis_url": "http://cache"},
        {"region": "far away"},
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Settings(**wrong)  # type: ignore[arg-type]


def test_data_lies_where_desktops_keep_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    settings = Settings()
    assert settings.data_dir == tmp_path / "lacquer"
    assert settings.async_database_url == f"sqlite+aiosqlite:///{tmp_path}/lacquer/lacquer.db"
    assert settings.blobs_at == (tmp_path / "lacquer" / "blobs").as_uri()


@pytest.mark.parametrize(
    "wrong", ["s3://", "file://host/folder", "file:relative", "/folder", "https://bucket", "s3://b?x"]
)
def test_pictures_go_to_one_place_that_is_a_folder_or_a_bucket(wrong: str, tmp_path: Path) -> None:
    assert Settings(blob_dir=tmp_path / "a b").blobs_at == f"file://{tmp_path}/a%20b"
    assert Settings(blob_url="s3://bucket/some/prefix").blobs_at == "s3://bucket/some/prefix"
    with pytest.raises(ValidationError):
        Settings(blob_url=wrong)
    with pytest.raises(ValidationError, match="not both"):
        Settings(blob_url="s3://bucket", blob_dir=tmp_path)


def test_a_key_is_made_once_and_kept_to_ourselves(tmp_path: Path) -> None:
    settings, keys = Settings(data_dir=tmp_path / "new", secret_key=None), []
    threads = [threading.Thread(target=lambda: keys.append(signing_key(settings))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(keys)) == 1
    assert len(keys[0]) == 64
    assert stat.S_IMODE((tmp_path / "new" / "secret_key").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["secret_key"]


def test_every_limit_can_be_switched_off() -> None:
    assert {f"LACQUER_{name.upper()}" for name in Settings.model_fields if name.startswith("rate_")} == set(UNLIMITED)
