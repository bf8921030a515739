"""Whether a request was sent before it failed: over real sockets that refuse, stall and break."""

import asyncio
import socket

import pytest
from tornado.httputil import HTTPServerRequest

from notify.http import AnswerTooLarge, HttpClient, NotSent, Unanswered
from tests.notify.counterpart import Reply, counterpart


async def plain(_: HTTPServerRequest) -> Reply:
    return 200, "text/plain", b"hello"


async def hang_up(_: HTTPServerRequest) -> None:
    return None


async def stall(_: HTTPServerRequest) -> Reply:
    await asyncio.sleep(1)
    return 200, "text/plain", b"late"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.gen_test
async def test_any_status_is_an_answer() -> None:
    async def failing(_: HTTPServerRequest) -> Reply:
        return 503, "text/html", b"no"

    async with counterpart(failing) as other:
        client = HttpClient()
        assert (await client.post(other.address, b"x", "text/plain")).status == 503
        client.close()


@pytest.mark.gen_test
async def test_the_body_arrives_whole_with_its_length() -> None:
    async with counterpart(plain) as other:
        client = HttpClient()
        answer = await client.post(other.address + "/a", b"x" * 100_000, "text/plain")
        client.close()
        assert answer.body == b"hello"
        assert other.requests[0].body == b"x" * 100_000
        assert other.requests[0].headers["Content-Length"] == "100000"


@pytest.mark.gen_test
async def test_a_refused_connection_sent_nothing() -> None:
    client = HttpClient()
    with pytest.raises(NotSent):
        await client.post(f"http://127.0.0.1:{free_port()}/", b"x", "text/plain")
    client.close()


@pytest.mark.gen_test
async def test_an_unknown_host_sent_nothing() -> None:
    client = HttpClient()
    with pytest.raises(NotSent):
        await client.post("http://no-such-host.invalid/", b"x", "text/plain")
    client.close()


@pytest.mark.gen_test
async def test_a_failed_tls_handshake_sent_nothing() -> None:
    async with counterpart(plain) as other:
        client = HttpClient()
        with pytest.raises(NotSent):
            await client.post(other.address.replace("http:", "https:"), b"x", "text/plain")
        assert other.requests == []
        client.close()


@pytest.mark.gen_test
async def test_waiting_for_a_place_in_vain_sent_nothing() -> None:
    async with counterpart(stall) as other:
        client = HttpClient(connect_seconds=0.3, request_seconds=3, max_clients=1)
        first = asyncio.ensure_future(client.post(other.address, b"1", "text/plain"))
        await asyncio.sleep(0.1)
        with pytest.raises(NotSent):
            await client.post(other.address, b"2", "text/plain")
        assert (await first).body == b"late"
        assert [request.body for request in other.requests] == [b"1"]
        client.close()


@pytest.mark.gen_test
async def test_a_connection_closed_after_the_request_leaves_doubt() -> None:
    async with counterpart(hang_up) as other:
        client = HttpClient()
        with pytest.raises(Unanswered):
            await client.post(other.address, b"x", "text/plain")
        assert len(other.requests) == 1
        client.close()


@pytest.mark.gen_test
async def test_a_time_out_after_the_request_leaves_doubt() -> None:
    async with counterpart(stall) as other:
        client = HttpClient(request_seconds=0.3)
        with pytest.raises(Unanswered):
            await client.post(other.address, b"x", "text/plain")
        assert len(other.requests) == 1
        client.close()


@pytest.mark.gen_test
async def test_an_answer_that_is_no_http_leaves_doubt() -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf")
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    client = HttpClient()
    with pytest.raises(Unanswered):
        await client.post(f"http://127.0.0.1:{port}/", b"x", "text/plain")
    client.close()
    server.close()
    await server.wait_closed()


@pytest.mark.gen_test
@pytest.mark.parametrize("announced", [True, False])
async def test_an_answer_beyond_the_limit_is_not_read_on(announced: bool) -> None:
    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n"
        size = 50_000_000 if announced else 0
        head += b"Content-Length: %d\r\n\r\n" % size if announced else b"Connection: close\r\n\r\n"
        writer.write(head + b"\0" * 200_000)
        if announced:
            await reader.read()
        writer.close()

    server = await asyncio.start_server(pour, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    client = HttpClient()
    with pytest.raises(AnswerTooLarge):
        await client.get(f"http://127.0.0.1:{port}/", limit=100_000)
    client.close()
    server.close()
    await server.wait_closed()
