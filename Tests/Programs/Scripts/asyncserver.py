import asyncio


async def answer(reader, writer):
    try:
        await reader.readuntil(b'\r\n\r\n')
        await asyncio.sleep(0.2)
        body = b'%d\n' % await asyncio.to_thread(lambda: sum(range(1000)))
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n' % len(body) + body)
        await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main():
    async with await asyncio.start_server(answer, '0.0.0.0', 8000) as server:
        await server.serve_forever()


asyncio.run(main())
