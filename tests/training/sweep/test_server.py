import os

from causalablate.training.sweep import server


def test_the_server_reports_how_each_worker_ended(monkeypatch, capfd):
    monkeypatch.setattr(server, "begin", lambda folder: os._exit(7))
    workers = {server._start("/runs/a"): "/runs/a"}
    while workers:
        server._report(workers)
    assert capfd.readouterr().out == "end 7 /runs/a\n"
