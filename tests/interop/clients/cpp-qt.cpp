// SPDX-License-Identifier: MIT
#include <QCoreApplication>
#include <QTextStream>
#include <QWebSocket>

int
main(int argc, char *argv[])
{
	QCoreApplication app(argc, argv);
	QStringList lines = app.arguments().mid(3);
	QString protocol = app.arguments()[2];
	QTextStream out(stdout);
	QWebSocket socket;
	QNetworkRequest request{ QUrl(app.arguments()[1]) };

#if QT_VERSION < QT_VERSION_CHECK(6, 0, 0)
	out.setCodec("UTF-8");
#endif
	if (!protocol.isEmpty())
		request.setRawHeader("Sec-WebSocket-Protocol",
		    protocol.toUtf8());
	QObject::connect(&socket, &QWebSocket::connected, [&] {
		out << "open " << protocol << Qt::endl;
		for (const QString &line : lines)
			socket.sendTextMessage(line);
	});
	QObject::connect(&socket, &QWebSocket::textMessageReceived,
	    [&](const QString &text) {
		    out << "message " << text << Qt::endl;
		    if (text.startsWith('>'))
			    socket.sendTextMessage(text.mid(1));
		    if (text == "bye")
			    socket.close();
	    });
	QObject::connect(&socket,
#if QT_VERSION < QT_VERSION_CHECK(6, 5, 0)
	    QOverload<QAbstractSocket::SocketError>::of(&QWebSocket::error),
#else
	    &QWebSocket::errorOccurred,
#endif
	    [&] { out << "raised " << socket.errorString() << Qt::endl; });
	QObject::connect(&socket, &QWebSocket::disconnected, [&] {
		out << "closed " << socket.closeCode() << ' '
		    << socket.closeReason() << Qt::endl;
		app.quit();
	});
	socket.open(request);
	return app.exec();
}
