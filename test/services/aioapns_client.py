"""Sends with aioapns what the first argument says, as JSON, and prints the answers as JSON."""
import asyncio
import json
import ssl
import sys

from aioapns import APNs, NotificationRequest, PushType
from aioapns.connection import (
    APNsDevelopmentClientProtocol,
    APNsProductionClientProtocol,
)


async def main() -> None:
    told = json.loads(sys.argv[1])
    for protocol in (APNsProductionClientProtocol, APNsDevelopmentClientProtocol):
        protocol.APNS_SERVER = "localhost"
        protocol.APNS_PORT = told["port"]
    context = ssl.create_default_context(cafile=told["ca"])
    context.set_alpn_protocols(["h2"])
    client = APNs(ssl_context=context, max_connection_attempts=2, **told["credentials"])

    async def send(request):
        push_type = request.pop("push_type", None)
        if push_type is not None:
            request["push_type"] = PushType(push_type)
        answer = await client.send_notification(NotificationRequest(**request))
        return {
            "id": answer.notification_id,
            "status": answer.status,
            "reason": answer.description,
        }

    answers = await asyncio.gather(*(send(request) for request in told["requests"]))
    print(json.dumps(answers))
    client.pool.close()


asyncio.run(main())
