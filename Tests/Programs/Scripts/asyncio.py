import asyncio


async def serve(reader, writer):
    while line := await reader.readline():
        writer.write(line.upper())
        await writer.drain()
    writer.close()


async def ask(port, index):
    reader, writer = await asyncio.open_connection('127.0.0.1', port)
    writer.write(b'hello %d\n' % index)
    answer = await reader.readline()
    writer.close()
    return answer


async def main():
    server = await asyncio.start_server(serve, '127.0.0.1', 0)
    port = server.sockets[0].getsockname()[1]
    print(await asyncio.gather(*[ask(port, index) for index in range(10)]))
    await asyncio.sleep(0.05)
    server.close()


asyncio.run(main())
