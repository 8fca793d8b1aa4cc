<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de" sourcelanguage="en">
    <context>
        <name>Sunbreak</name>
        <message>
            <source>Unit of the Sentinel-2 values</source>
            <translation>Einheit der Sentinel-2-Werte</translation>
        </message>
        <message>
            <source>Only this extent</source>
            <translation>Nur diese Ausdehnung</translation>
        </message>
        <message>
            <source>Offset to add to the Sentinel-2 values (not set: found out)</source>
            <translation>Versatz, der zu den Sentinel-2-Werten addiert wird (leer: wird ermittelt)</translation>
        </message>
        <message>
            <source>Names of the Sentinel-2 bands in the file's order, such as B01,B02,... (empty: found out)</source>
            <translation>Namen der Sentinel-2-Bänder in der Reihenfolge der Datei, etwa B01,B02,... (leer: werden ermittelt)</translation>
        </message>
        <message>
            <source>Probability above which a pixel is cloud (not set: the detector's own)</source>
            <translation>Wahrscheinlichkeit, ab der ein Pixel als Wolke gilt (leer: die des Verfahrens)</translation>
        </message>
        <message>
            <source>{kind} files (*{suffix})</source>
            <translation>{kind}-Dateien (*{suffix})</translation>
        </message>
        <message>
            <source>Quicklook (PNG beside the main layer)</source>
            <translation>Vorschaubild (PNG neben dem Hauptlayer)</translation>
        </message>
        <message>
            <source>{parameter}: {value} cannot be opened as a raster. Check that the file exists.</source>
            <translation>{parameter}: {value} lässt sich nicht als Raster öffnen. Prüfen Sie, ob die Datei vorhanden ist.</translation>
        </message>
        <message>
            <source>This run gives no "{what}": left out.</source>
            <translation>Dieser Lauf liefert „{what}“ nicht: ausgelassen.</translation>
        </message>
        <message>
            <source>{title}: {path} does not end in "{suffix}", the only type that Sunbreak writes there.</source>
            <translation>{title}: {path} endet nicht auf „{suffix}“, den einzigen Typ, den Sunbreak dort schreibt.</translation>
        </message>
        <message>
            <source>{title} and {other} have the same file name: {path}. Choose another one.</source>
            <translation>{title} und {other} haben denselben Dateinamen: {path}. Wählen Sie einen anderen.</translation>
        </message>
        <message>
            <source>The backend gave no "{role}".</source>
            <translation>Das Backend hat „{role}“ nicht geliefert.</translation>
        </message>
        <message>
            <source>{title} would replace the input ({source}): {path}. Choose another file name.</source>
            <translation>{title} würde die Eingabe ({source}) ersetzen: {path}. Wählen Sie einen anderen Dateinamen.</translation>
        </message>
        <message>
            <source>Classify land cover</source>
            <translation>Landbedeckung klassifizieren</translation>
        </message>
        <message>
            <source>Land cover</source>
            <translation>Landbedeckung</translation>
        </message>
        <message>
            <source>Land cover of a Sentinel-2 scene, with its confidence and what it rests on.</source>
            <translation>Landbedeckung einer Sentinel-2-Szene, mit ihrer Konfidenz und dem, worauf sie beruht.</translation>
        </message>
        <message>
            <source>Says what covers the land in a Sentinel-2 scene. A classifier looks at patches that slide over the scene; what they say is blended onto cells of a few pixels.

The input is one raster with the Sentinel-2 bands (their names are read from the band descriptions), or a layer out of a Sentinel-2 product. Sentinel-1 is needed only by classifiers that were trained with it.

For a cleaned scene give the layer "Reconstructed" that belongs to it: then the evidence also says how much of each cell's answer rests on reconstructed pixels.

Confidence is the probability of the class that the land cover names. Entropy goes from 0 (one class is certain) to 1 (all are as probable). Probabilities have one band per class. Evidence says what share of the patches had data, and what share was reconstructed.</source>
            <translation>Sagt, was in einer Sentinel-2-Szene das Land bedeckt. Ein Klassifikator betrachtet Ausschnitte, die über die Szene gleiten; was er in ihnen sieht, wird auf Zellen von einigen Pixeln übertragen.

Die Eingabe ist ein Raster mit den Sentinel-2-Bändern (ihre Namen werden aus den Bandbeschreibungen gelesen) oder ein Layer aus einem Sentinel-2-Produkt. Sentinel-1 brauchen nur Klassifikatoren, die damit trainiert wurden.

Zu einer bereinigten Szene geben Sie den zugehörigen Layer „Rekonstruiert“ an: Dann sagt die Evidenz auch, welcher Anteil der Antwort jeder Zelle auf rekonstruierten Pixeln beruht.

Die Konfidenz ist die Wahrscheinlichkeit der Klasse, die als Landbedeckung genannt wird. Die Entropie reicht von 0 (eine Klasse ist sicher) bis 1 (alle sind gleich wahrscheinlich). Die Wahrscheinlichkeiten haben ein Band je Klasse. Die Evidenz sagt, welcher Anteil der Ausschnitte Daten hatte und welcher rekonstruiert war.</translation>
        </message>
        <message>
            <source>Classifier (empty: the backend's default)</source>
            <translation>Klassifikator (leer: der voreingestellte des Backends)</translation>
        </message>
        <message>
            <source>Reconstructed share, if the scene is a cleaned one</source>
            <translation>Rekonstruierter Anteil, falls die Szene bereinigt ist</translation>
        </message>
        <message>
            <source>Unit of the Sentinel-1 values</source>
            <translation>Einheit der Sentinel-1-Werte</translation>
        </message>
        <message>
            <source>Classifier from a file (its card or weights; instead of the one above)</source>
            <translation>Klassifikator aus einer Datei (Modellkarte oder Gewichte; anstelle des obigen)</translation>
        </message>
        <message>
            <source>Device</source>
            <translation>Gerät</translation>
        </message>
        <message>
            <source>Confidence</source>
            <translation>Konfidenz</translation>
        </message>
        <message>
            <source>Entropy</source>
            <translation>Entropie</translation>
        </message>
        <message>
            <source>Probabilities</source>
            <translation>Wahrscheinlichkeiten</translation>
        </message>
        <message>
            <source>Evidence</source>
            <translation>Evidenz</translation>
        </message>
        <message>
            <source>Mean confidence (0 to 1)</source>
            <translation>Mittlere Konfidenz (0 bis 1)</translation>
        </message>
        <message>
            <source>Share of the evidence that was reconstructed (0 to 1)</source>
            <translation>Rekonstruierter Anteil der Evidenz (0 bis 1)</translation>
        </message>
        <message>
            <source>Seconds that the run took</source>
            <translation>Dauer des Laufs in Sekunden</translation>
        </message>
        <message>
            <source>Clean, classify, explain</source>
            <translation>Bereinigen, klassifizieren, erklären</translation>
        </message>
        <message>
            <source>Removes the clouds of a Sentinel-2 scene, classifies the land under them, and says what to trust.</source>
            <translation>Entfernt die Wolken einer Sentinel-2-Szene, klassifiziert das Land darunter und sagt, worauf man sich verlassen kann.</translation>
        </message>
        <message>
            <source>Goes the whole way: finds the clouds of a Sentinel-2 scene, removes them with the help of Sentinel-1 radar, classifies the land cover of the cleaned scene, shows what the classifier looked at, and says how far each answer can be trusted.

Sentinel-2 is one raster with the bands (their names are read from the band descriptions), or a layer out of a Sentinel-2 product. Sentinel-1 is one raster with VV and VH, terrain-corrected, in dB or linear power.

Trust has four classes. Seen and confident is as good as a clear scene. Seen and unsure: look again. Reconstructed and confident: the classifier is sure of what the network painted, which is no observation. Reconstructed and unsure: a guess. Both thresholds are among the advanced parameters.

"Changed by cleaning" shows where the cloudy scene would have been given another class. Saliency shows where the evidence for a class lies: "predicted" explains in each place the class that it was taken for, "none" leaves that out.

The report is one HTML file with the pictures, the area of each class in hectares, what share of it rests on reconstructed pixels, and what to be careful about.</source>
            <translation>Geht den ganzen Weg: findet die Wolken einer Sentinel-2-Szene, entfernt sie mit Hilfe von Sentinel-1-Radar, klassifiziert die Landbedeckung der bereinigten Szene, zeigt, worauf der Klassifikator geachtet hat, und sagt, wie weit man jeder Antwort trauen kann.

Sentinel-2 ist ein Raster mit den Bändern (ihre Namen werden aus den Bandbeschreibungen gelesen) oder ein Layer aus einem Sentinel-2-Produkt. Sentinel-1 ist ein Raster mit VV und VH, geländekorrigiert, in dB oder als lineare Leistung.

Das Vertrauen hat vier Klassen. Gesehen und sicher ist so gut wie eine wolkenfreie Szene. Gesehen und unsicher: noch einmal hinsehen. Rekonstruiert und sicher: Der Klassifikator ist sich dessen sicher, was das Netz gemalt hat; das ist keine Beobachtung. Rekonstruiert und unsicher: geraten. Beide Schwellen stehen unter den erweiterten Parametern.

„Durch Bereinigung geändert“ zeigt, wo die bewölkte Szene eine andere Klasse erhalten hätte. Die Salienz zeigt, wo die Hinweise auf eine Klasse liegen: „predicted“ erklärt an jedem Ort die Klasse, für die er gehalten wurde, „none“ lässt das weg.

Der Bericht ist eine HTML-Datei mit den Bildern, der Fläche jeder Klasse in Hektar, dem Anteil davon, der auf rekonstruierten Pixeln beruht, und dem, wobei Vorsicht geboten ist.</translation>
        </message>
        <message>
            <source>Model that removes clouds (empty: the backend's default)</source>
            <translation>Modell zur Wolkenentfernung (leer: das voreingestellte des Backends)</translation>
        </message>
        <message>
            <source>Cloud mask to use instead of looking for clouds</source>
            <translation>Wolkenmaske, die anstelle der Wolkensuche gilt</translation>
        </message>
        <message>
            <source>Model that removes clouds from a file (instead of the one above)</source>
            <translation>Modell zur Wolkenentfernung aus einer Datei (anstelle des obigen)</translation>
        </message>
        <message>
            <source>Classifier from a file (instead of the one above)</source>
            <translation>Klassifikator aus einer Datei (anstelle des obigen)</translation>
        </message>
        <message>
            <source>Width of the mixed edge of clouds in pixels (not set: 4, or 0 with a mask of your own)</source>
            <translation>Breite des Übergangs am Wolkenrand in Pixeln (leer: 4, oder 0 bei eigener Maske)</translation>
        </message>
        <message>
            <source>Pixels by which clouds are grown first (not set: 4, or 0 with a mask of your own)</source>
            <translation>Pixel, um die Wolken zuvor vergrößert werden (leer: 4, oder 0 bei eigener Maske)</translation>
        </message>
        <message>
            <source>Detect clouds at full resolution (slower)</source>
            <translation>Wolken in voller Auflösung suchen (langsamer)</translation>
        </message>
        <message>
            <source>Confidence from which on a class counts as sure (not set: 0.6)</source>
            <translation>Konfidenz, ab der eine Klasse als sicher gilt (leer: 0,6)</translation>
        </message>
        <message>
            <source>Reconstructed share above which a cell counts as reconstructed (not set: 0.1)</source>
            <translation>Rekonstruierter Anteil, über dem eine Zelle als rekonstruiert gilt (leer: 0,1)</translation>
        </message>
        <message>
            <source>Trust</source>
            <translation>Vertrauen</translation>
        </message>
        <message>
            <source>Saliency</source>
            <translation>Salienz</translation>
        </message>
        <message>
            <source>Changed by cleaning</source>
            <translation>Durch Bereinigung geändert</translation>
        </message>
        <message>
            <source>Cleaned scene</source>
            <translation>Bereinigte Szene</translation>
        </message>
        <message>
            <source>Uncertainty</source>
            <translation>Unsicherheit</translation>
        </message>
        <message>
            <source>Reconstructed</source>
            <translation>Rekonstruiert</translation>
        </message>
        <message>
            <source>Cloud mask</source>
            <translation>Wolkenmaske</translation>
        </message>
        <message>
            <source>Cloud probability</source>
            <translation>Wolkenwahrscheinlichkeit</translation>
        </message>
        <message>
            <source>Report</source>
            <translation>Bericht</translation>
        </message>
        <message>
            <source>Table of bands</source>
            <translation>Tabelle der Bänder</translation>
        </message>
        <message>
            <source>Share of the scene under cloud (0 to 1)</source>
            <translation>Bewölkung: Anteil der Szene unter Wolken (0 bis 1)</translation>
        </message>
        <message>
            <source>Share of the scene that was reconstructed (0 to 1)</source>
            <translation>Rekonstruierter Anteil der Szene (0 bis 1)</translation>
        </message>
        <message>
            <source>Share whose class was changed by cleaning (0 to 1)</source>
            <translation>Anteil, dessen Klasse sich durch die Bereinigung geändert hat (0 bis 1)</translation>
        </message>
        <message>
            <source>Share that was seen and is confident (0 to 1)</source>
            <translation>Gesehener und sicherer Anteil (0 bis 1)</translation>
        </message>
        <message>
            <source>Share that was seen and is unsure (0 to 1)</source>
            <translation>Gesehener und unsicherer Anteil (0 bis 1)</translation>
        </message>
        <message>
            <source>Share that was reconstructed and is confident (0 to 1)</source>
            <translation>Rekonstruierter und sicherer Anteil (0 bis 1)</translation>
        </message>
        <message>
            <source>Share that was reconstructed and is unsure (0 to 1)</source>
            <translation>Rekonstruierter und unsicherer Anteil (0 bis 1)</translation>
        </message>
        <message>
            <source>Compare scenes</source>
            <translation>Szenen vergleichen</translation>
        </message>
        <message>
            <source>Evaluation</source>
            <translation>Auswertung</translation>
        </message>
        <message>
            <source>PSNR, SSIM, spectral angle, error and detail of a scene beside a reference.</source>
            <translation>PSNR, SSIM, Spektralwinkel, Fehler und Detail einer Szene gegenüber einer Referenz.</translation>
        </message>
        <message>
            <source>Says how far a scene lies from what it should be: a cleaned scene from a clear one, for example.

Both rasters have the same bands and lie on the same grid. With a cloud mask the figures also come for its inside and its outside; with the cloudy scene also for doing nothing, so that one sees what was gained.

PSNR (dB): error on a logarithmic scale, higher is better. SSIM: whether patterns agree, 1 is equal. SAM (degrees): how much the colour differs. MAE, RMSE and bias: error in reflectance. Detail: strength of edges and of the finest structures over those of the reference; 1 is as sharp, less is blurred.

The map of the error has the colours and the numbers of the uncertainty layer, so that one can see whether errors lie where they were expected. The page has all figures, also band by band, and says what they mean.</source>
            <translation>Sagt, wie weit eine Szene von dem entfernt ist, was sie sein sollte: zum Beispiel eine bereinigte von einer wolkenfreien.

Beide Raster haben dieselben Bänder und liegen auf demselben Gitter. Mit einer Wolkenmaske gibt es die Zahlen auch für innerhalb und außerhalb, mit der bewölkten Szene auch für den Fall, dass nichts getan wird; so sieht man, was gewonnen wurde.

PSNR (dB): Fehler auf einer logarithmischen Skala, höher ist besser. SSIM: ob Muster übereinstimmen, 1 ist gleich. SAM (Grad): wie stark die Farbe abweicht. MAE, RMSE und mittlere Abweichung: Fehler in Reflektanz. Detail: Stärke der Kanten und der feinsten Strukturen im Verhältnis zur Referenz; 1 ist ebenso scharf, weniger ist unschärfer.

Die Fehlerkarte hat die Farben und Zahlen des Unsicherheitslayers, damit man sieht, ob Fehler dort liegen, wo sie erwartet wurden. Die Seite enthält alle Zahlen, auch Band für Band, und sagt, was sie bedeuten.</translation>
        </message>
        <message>
            <source>PSNR (dB)</source>
            <translation>PSNR (dB)</translation>
        </message>
        <message>
            <source>SSIM</source>
            <translation>SSIM</translation>
        </message>
        <message>
            <source>SAM (degrees)</source>
            <translation>SAM (Grad)</translation>
        </message>
        <message>
            <source>MAE</source>
            <translation>MAE</translation>
        </message>
        <message>
            <source>RMSE</source>
            <translation>RMSE</translation>
        </message>
        <message>
            <source>Bias</source>
            <translation>Mittlere Abweichung</translation>
        </message>
        <message>
            <source>Detail: edges over those of the reference</source>
            <translation>Detail: Kanten im Verhältnis zur Referenz</translation>
        </message>
        <message>
            <source>Detail: finest structures over those of the reference</source>
            <translation>Detail: feinste Strukturen im Verhältnis zur Referenz</translation>
        </message>
        <message>
            <source>inside the mask</source>
            <translation>innerhalb der Maske</translation>
        </message>
        <message>
            <source>outside the mask</source>
            <translation>außerhalb der Maske</translation>
        </message>
        <message>
            <source>before cleaning</source>
            <translation>vor der Bereinigung</translation>
        </message>
        <message>
            <source>Scene to judge (cleaned)</source>
            <translation>Zu beurteilende Szene (bereinigt)</translation>
        </message>
        <message>
            <source>Reference (clear)</source>
            <translation>Referenz (wolkenfrei)</translation>
        </message>
        <message>
            <source>Scene before cleaning</source>
            <translation>Szene vor der Bereinigung</translation>
        </message>
        <message>
            <source>Mean absolute error</source>
            <translation>Mittlerer absoluter Fehler</translation>
        </message>
        <message>
            <source>Spectral angle</source>
            <translation>Spektralwinkel</translation>
        </message>
        <message>
            <source>Page with all figures</source>
            <translation>Seite mit allen Zahlen</translation>
        </message>
        <message>
            <source>Table of all figures</source>
            <translation>Tabelle aller Zahlen</translation>
        </message>
        <message>
            <source>Share of the pixels that were compared (0 to 1)</source>
            <translation>Anteil der verglichenen Pixel (0 bis 1)</translation>
        </message>
        <message>
            <source>Share of them inside the mask (0 to 1)</source>
            <translation>Anteil davon innerhalb der Maske (0 bis 1)</translation>
        </message>
        <message>
            <source>Everywhere</source>
            <translation>Überall</translation>
        </message>
        <message>
            <source>Inside the mask</source>
            <translation>Innerhalb der Maske</translation>
        </message>
        <message>
            <source>{place}: PSNR {psnr:.2f} dB, SSIM {ssim:.4f}, SAM {sam:.2f} degrees, MAE {mae:.4f}</source>
            <translation>{place}: PSNR {psnr:.2f} dB, SSIM {ssim:.4f}, SAM {sam:.2f} Grad, MAE {mae:.4f}</translation>
        </message>
        <message>
            <source>Detect clouds</source>
            <translation>Wolken erkennen</translation>
        </message>
        <message>
            <source>Clouds</source>
            <translation>Wolken</translation>
        </message>
        <message>
            <source>Cloud mask and cloud probability of a Sentinel-2 scene.</source>
            <translation>Wolkenmaske und Wolkenwahrscheinlichkeit einer Sentinel-2-Szene.</translation>
        </message>
        <message>
            <source>Finds the clouds of a Sentinel-2 scene.

The input is one raster with the Sentinel-2 bands (their names are read from the band descriptions), or a layer out of a Sentinel-2 product, which stands for the whole product.

The mask holds 0 for clear, 1 for cloud and 255 where the scene has no data. The probability goes from 0 to 1; the mask is drawn where it exceeds the threshold.</source>
            <translation>Findet die Wolken einer Sentinel-2-Szene.

Die Eingabe ist ein Raster mit den Sentinel-2-Bändern (ihre Namen werden aus den Bandbeschreibungen gelesen) oder ein Layer aus einem Sentinel-2-Produkt, der für das ganze Produkt steht.

Die Maske enthält 0 für klar, 1 für Wolke und 255, wo die Szene keine Daten hat. Die Wahrscheinlichkeit reicht von 0 bis 1; die Maske gilt dort, wo sie über der Schwelle liegt.</translation>
        </message>
        <message>
            <source>Full resolution (slower)</source>
            <translation>Volle Auflösung (langsamer)</translation>
        </message>
        <message>
            <source>Sentinel-2 scene</source>
            <translation>Sentinel-2-Szene</translation>
        </message>
        <message>
            <source>Doctor</source>
            <translation>Diagnose</translation>
        </message>
        <message>
            <source>Set-up</source>
            <translation>Einrichtung</translation>
        </message>
        <message>
            <source>Says what works on this machine, and what to do where something does not.</source>
            <translation>Sagt, was auf diesem Rechner funktioniert, und was zu tun ist, wo etwas nicht geht.</translation>
        </message>
        <message>
            <source>Looks at the backend's interpreter and packages, the device, GDAL and PROJ, models, disk and proxy, and cleans a small made-up scene. Takes about half a minute.

Where something does not work it says one thing to do. The text can be copied into a report: it names neither you nor your home folder.

It also runs where the backend cannot, and then says why.</source>
            <translation>Prüft Interpreter und Pakete des Backends, das Gerät, GDAL und PROJ, Modelle, Datenträger und Proxy und bereinigt eine kleine erfundene Szene. Dauert etwa eine halbe Minute.

Wo etwas nicht geht, steht eine Sache, die zu tun ist. Der Text kann in eine Fehlermeldung kopiert werden: Er nennt weder Sie noch Ihr Benutzerverzeichnis.

Die Diagnose läuft auch, wo das Backend nicht läuft, und sagt dann, warum.</translation>
        </message>
        <message>
            <source>Everything works.</source>
            <translation>Alles funktioniert.</translation>
        </message>
        <message>
            <source>One thing does not work.</source>
            <translation>Eine Sache funktioniert nicht.</translation>
        </message>
        <message>
            <source>Findings</source>
            <translation>Befund</translation>
        </message>
        <message>
            <source>Number of things that do not work</source>
            <translation>Anzahl der Dinge, die nicht funktionieren</translation>
        </message>
        <message>
            <source>Findings as text</source>
            <translation>Befund als Text</translation>
        </message>
        <message>
            <source>{count} things do not work.</source>
            <translation>{count} Dinge funktionieren nicht.</translation>
        </message>
        <message>
            <source>To copy into a report:</source>
            <translation>Zum Kopieren in eine Fehlermeldung:</translation>
        </message>
        <message>
            <source>{path} cannot be written: {reason}. Choose another name.</source>
            <translation>{path} kann nicht geschrieben werden: {reason}. Wählen Sie einen anderen Namen.</translation>
        </message>
        <message>
            <source>ok</source>
            <translation>gut</translation>
        </message>
        <message>
            <source>not well</source>
            <translation>nicht gut</translation>
        </message>
        <message>
            <source>Explain classification</source>
            <translation>Klassifikation erklären</translation>
        </message>
        <message>
            <source>Shows where in a Sentinel-2 scene the evidence for a class of land cover lies, and in which bands.</source>
            <translation>Zeigt, wo in einer Sentinel-2-Szene und in welchen Bändern die Hinweise auf eine Landbedeckungsklasse liegen.</translation>
        </message>
        <message>
            <source>Shows what a classifier of land cover looked at: bright is where the evidence for a class lies, and nothing is drawn where there is none.

The class is one of the classifier's own names, such as Forest; "predicted" explains in each place the class that the place was taken for.

With a point (click the button and then the map) only the patch around it is explained, pixel by pixel, and the log lists what the classifier takes this patch for. With polygons only what lies inside them is explained. Without either it is the whole scene.

Grad-CAM is the usual method. HiResCAM shows only places that really raised the class's score; at layer4 of these networks both agree. Lower layers are finer, and harder to read.

The table of bands says how much each band had to do with the answer (gradient x input), and whether it spoke for the class or against it.

The brightest place of the scene is 1, so two maps cannot be compared by their brightness.</source>
            <translation>Zeigt, worauf ein Landbedeckungsklassifikator geachtet hat: Hell ist, wo die Hinweise auf eine Klasse liegen; wo es keine gibt, wird nichts gezeichnet.

Die Klasse ist einer der eigenen Namen des Klassifikators, etwa Forest; „predicted“ erklärt an jedem Ort die Klasse, für die er gehalten wurde.

Mit einem Punkt (Knopf und dann Karte anklicken) wird nur der Ausschnitt um ihn erklärt, Pixel für Pixel, und das Protokoll nennt, wofür der Klassifikator diesen Ausschnitt hält. Mit Polygonen wird nur erklärt, was in ihnen liegt. Ohne beides ist es die ganze Szene.

Grad-CAM ist das übliche Verfahren. HiResCAM zeigt nur Orte, die den Wert der Klasse wirklich erhöht haben; in layer4 dieser Netze stimmen beide überein. Tiefere Nummern sind feiner und schwerer zu lesen.

Die Tabelle der Bänder sagt, wie viel jedes Band mit der Antwort zu tun hatte (Gradient x Eingabe) und ob es für oder gegen die Klasse sprach.

Der hellste Ort der Szene ist 1; zwei Karten lassen sich daher nicht nach ihrer Helligkeit vergleichen.</translation>
        </message>
        <message>
            <source>Only the patch around this point</source>
            <translation>Nur der Ausschnitt um diesen Punkt</translation>
        </message>
        <message>
            <source>Only inside these polygons</source>
            <translation>Nur innerhalb dieser Polygone</translation>
        </message>
        <message>
            <source>Share of the band that mattered most (0 to 1)</source>
            <translation>Anteil des wichtigsten Bandes (0 bis 1)</translation>
        </message>
        <message>
            <source>Class of the patch around the point</source>
            <translation>Klasse des Ausschnitts um den Punkt</translation>
        </message>
        <message>
            <source>Band that mattered most</source>
            <translation>Wichtigstes Band</translation>
        </message>
        <message>
            <source>Probability of that class (0 to 1)</source>
            <translation>Wahrscheinlichkeit dieser Klasse (0 bis 1)</translation>
        </message>
        <message>
            <source>Both a point and polygons are given. Take one of them away.</source>
            <translation>Es sind sowohl ein Punkt als auch Polygone angegeben. Nehmen Sie eines von beiden weg.</translation>
        </message>
        <message>
            <source>The patch around the point:</source>
            <translation>Der Ausschnitt um den Punkt:</translation>
        </message>
        <message>
            <source>{value} cannot be opened as a vector layer.</source>
            <translation>{value} lässt sich nicht als Vektorlayer öffnen.</translation>
        </message>
        <message>
            <source>Sentinel-1 scene (VV and VH)</source>
            <translation>Sentinel-1-Szene (VV und VH)</translation>
        </message>
        <message>
            <source>predicted, none, or a name such as Forest</source>
            <translation>predicted, none oder ein Name wie Forest</translation>
        </message>
        <message>
            <source>predicted, or a name such as Forest</source>
            <translation>predicted oder ein Name wie Forest</translation>
        </message>
        <message>
            <source>How to explain</source>
            <translation>Art der Erklärung</translation>
        </message>
        <message>
            <source>Block of the network that is looked at (layer1 is the finest)</source>
            <translation>Block des Netzes, der betrachtet wird (layer1 ist der feinste)</translation>
        </message>
        <message>
            <source>Pixels from one patch to the next (not set: the classifier's default)</source>
            <translation>Pixel von einem Ausschnitt zum nächsten (leer: wie im Klassifikator festgelegt)</translation>
        </message>
        <message>
            <source>Models (*.json *.safetensors)</source>
            <translation>Modelle (*.json *.safetensors)</translation>
        </message>
        <message>
            <source>Class to explain ({words})</source>
            <translation>Zu erklärende Klasse ({words})</translation>
        </message>
        <message>
            <source>Remove clouds</source>
            <translation>Wolken entfernen</translation>
        </message>
        <message>
            <source>Reconstructs what lies under the clouds of a Sentinel-2 scene with the help of Sentinel-1 radar.</source>
            <translation>Rekonstruiert mit Hilfe von Sentinel-1-Radar, was unter den Wolken einer Sentinel-2-Szene liegt.</translation>
        </message>
        <message>
            <source>Takes the clouds out of a Sentinel-2 scene and says how far each pixel can be trusted.

Sentinel-2 is one raster with the bands (their names are read from the band descriptions), or a layer out of a Sentinel-2 product, which stands for the whole product. Sentinel-1 is one raster with VV and VH, terrain-corrected, in dB or linear power; it is brought onto the Sentinel-2 grid. Models that need no radar do without. A mask of your own may be a scene classification (SCL), 0/1, 0/255 or a probability.

Clear pixels keep their values exactly. Under clouds the model's reconstruction is written, and along the edges of clouds the two are mixed.

Uncertainty is the standard deviation (sigma) of each band. Reconstructed says how much of a pixel was synthesised, from 0 (observed) to 1 (all of it).</source>
            <translation>Entfernt die Wolken einer Sentinel-2-Szene und sagt, wie weit man jedem Pixel trauen kann.

Sentinel-2 ist ein Raster mit den Bändern (ihre Namen werden aus den Bandbeschreibungen gelesen) oder ein Layer aus einem Sentinel-2-Produkt, der für das ganze Produkt steht. Sentinel-1 ist ein Raster mit VV und VH, geländekorrigiert, in dB oder als lineare Leistung; die Rückstreuung wird auf das Gitter von Sentinel-2 gebracht. Modelle, die kein Radar brauchen, kommen ohne aus. Eine eigene Maske kann eine Szenenklassifikation (SCL), 0/1, 0/255 oder eine Wahrscheinlichkeit sein.

Klare Pixel behalten genau ihre Werte. Unter Wolken wird die Rekonstruktion des Modells geschrieben, und am Wolkenrand werden beide gemischt.

Die Unsicherheit ist die Standardabweichung (Sigma) jedes Bandes. „Rekonstruiert“ sagt, welcher Anteil eines Pixels synthetisch ist, von 0 (beobachtet) bis 1 (ganz).</translation>
        </message>
        <message>
            <source>Model (empty: the backend's default)</source>
            <translation>Modell (leer: das voreingestellte des Backends)</translation>
        </message>
        <message>
            <source>Model from a file (its card or weights; instead of the model above)</source>
            <translation>Modell aus einer Datei (Modellkarte oder Gewichte; anstelle des obigen)</translation>
        </message>
        <message>
            <source>Replace clear pixels too</source>
            <translation>Auch klare Pixel ersetzen</translation>
        </message>
        <message>
            <source>Cancelled.</source>
            <translation>Abgebrochen.</translation>
        </message>
        <message>
            <source>The backend could not be run: {error}.</source>
            <translation>Das Backend konnte nicht ausgeführt werden: {error}.</translation>
        </message>
        <message>
            <source>Only installing needs the network; without it, install from a folder of wheels.</source>
            <translation>Das Netz wird nur zum Installieren gebraucht; ohne Netz installieren Sie aus einem Ordner mit Wheels.</translation>
        </message>
        <message>
            <source>Settings &gt; Options &gt; Network</source>
            <translation>Einstellungen &gt; Optionen &gt; Netzwerk</translation>
        </message>
        <message>
            <source>Install or repair the backend with Plugins &gt; Sunbreak &gt; Backend.</source>
            <translation>Installieren oder reparieren Sie das Backend mit Erweiterungen &gt; Sunbreak &gt; Backend.</translation>
        </message>
        <message>
            <source>Update the older of the two (the backend with Plugins &gt; Sunbreak &gt; Backend).</source>
            <translation>Aktualisieren Sie das ältere von beiden (das Backend mit Erweiterungen &gt; Sunbreak &gt; Backend).</translation>
        </message>
        <message>
            <source>{proxy} does not let through to {host}: status {status}</source>
            <translation>{proxy} lässt nicht zu {host} durch: Status {status}</translation>
        </message>
        <message>
            <source>backend {theirs}, plugin {ours}</source>
            <translation>Backend {theirs}, Erweiterung {ours}</translation>
        </message>
        <message>
            <source>none set; Sunbreak itself needs no network</source>
            <translation>keiner eingestellt; Sunbreak selbst braucht kein Netz</translation>
        </message>
        <message>
            <source>{proxy} does not answer: {reason}</source>
            <translation>{proxy} antwortet nicht: {reason}</translation>
        </message>
        <message>
            <source>Python {version}, {bits} bit</source>
            <translation>Python {version}, {bits} Bit</translation>
        </message>
        <message>
            <source>The backend needs Python 3.10 to 3.13 with 64 bit: choose another one.</source>
            <translation>Das Backend braucht Python 3.10 bis 3.13 mit 64 Bit: Wählen Sie ein anderes.</translation>
        </message>
        <message>
            <source>there is no Sunbreak backend in it: {reason}</source>
            <translation>es ist kein Sunbreak-Backend darin: {reason}</translation>
        </message>
        <message>
            <source>; protocol {theirs} and {ours}</source>
            <translation>; Protokoll {theirs} und {ours}</translation>
        </message>
        <message>
            <source>{proxy} asks for a user name and a password (407)</source>
            <translation>{proxy} verlangt Benutzernamen und Passwort (407)</translation>
        </message>
        <message>
            <source>The backend's findings cannot be read.</source>
            <translation>Der Befund des Backends lässt sich nicht lesen.</translation>
        </message>
        <message>
            <source>it says nothing (exit status {status})</source>
            <translation>es sagt nichts (Status {status})</translation>
        </message>
        <message>
            <source>{proxy} (only proxies over plain http are asked)</source>
            <translation>{proxy} (nur Proxys über einfaches HTTP werden gefragt)</translation>
        </message>
        <message>
            <source>{proxy} lets through</source>
            <translation>{proxy} lässt durch</translation>
        </message>
        <message>
            <source>{python} does not run: {reason}</source>
            <translation>{python} läuft nicht: {reason}</translation>
        </message>
        <message>
            <source>Check it in {where}.</source>
            <translation>Prüfen Sie ihn unter {where}.</translation>
        </message>
        <message>
            <source>Add them in {where}.</source>
            <translation>Tragen Sie sie ein unter {where}.</translation>
        </message>
        <message>
            <source>it did not answer within {seconds} s</source>
            <translation>keine Antwort innerhalb von {seconds} s</translation>
        </message>
        <message>
            <source>The backend is installed.</source>
            <translation>Das Backend ist installiert.</translation>
        </message>
        <message>
            <source>Making a Python environment</source>
            <translation>Python-Umgebung wird angelegt</translation>
        </message>
        <message>
            <source>Getting pip, which this Python lacks</source>
            <translation>pip wird geholt, das diesem Python fehlt</translation>
        </message>
        <message>
            <source>Asking the package index</source>
            <translation>Paketindex wird gefragt</translation>
        </message>
        <message>
            <source>Trying it out</source>
            <translation>Wird ausprobiert</translation>
        </message>
        <message>
            <source>Another QGIS is installing the backend at this moment.</source>
            <translation>Ein anderes QGIS installiert das Backend gerade.</translation>
        </message>
        <message>
            <source>Wait until it is done.</source>
            <translation>Warten Sie, bis es fertig ist.</translation>
        </message>
        <message>
            <source>Wait until its runs are done, or restart QGIS, and try again.</source>
            <translation>Warten Sie, bis seine Läufe fertig sind, oder starten Sie QGIS neu, und versuchen Sie es noch einmal.</translation>
        </message>
        <message>
            <source>The installation failed.</source>
            <translation>Die Installation ist fehlgeschlagen.</translation>
        </message>
        <message>
            <source>The backend could not be removed: {error}.</source>
            <translation>Das Backend konnte nicht entfernt werden: {error}.</translation>
        </message>
        <message>
            <source>Taking over the packages of {version}</source>
            <translation>Pakete von {version} werden übernommen</translation>
        </message>
        <message>
            <source>The backend needs Python 3.10 to 3.13.</source>
            <translation>Das Backend braucht Python 3.10 bis 3.13.</translation>
        </message>
        <message>
            <source>Install it there with its own pip or conda, or let Sunbreak install one of its own.</source>
            <translation>Installieren Sie es dort mit dessen eigenem pip oder conda, oder lassen Sie Sunbreak ein eigenes installieren.</translation>
        </message>
        <message>
            <source>Update the older of the two.</source>
            <translation>Aktualisieren Sie das ältere von beiden.</translation>
        </message>
        <message>
            <source>Choose another Python.</source>
            <translation>Wählen Sie ein anderes Python.</translation>
        </message>
        <message>
            <source>Choose another interpreter.</source>
            <translation>Wählen Sie einen anderen Interpreter.</translation>
        </message>
        <message>
            <source>Install the Microsoft Visual C++ Redistributable (x64) and try again.</source>
            <translation>Installieren Sie das „Microsoft Visual C++ Redistributable“ (x64) und versuchen Sie es noch einmal.</translation>
        </message>
        <message>
            <source>Repair that environment, or let Sunbreak install one of its own.</source>
            <translation>Reparieren Sie jene Umgebung, oder lassen Sie Sunbreak eine eigene installieren.</translation>
        </message>
        <message>
            <source>{python} does not answer as a Python should.</source>
            <translation>{python} antwortet nicht, wie ein Python es sollte.</translation>
        </message>
        <message>
            <source>This is Python {version}.</source>
            <translation>Das ist Python {version}.</translation>
        </message>
        <message>
            <source>Python {version} has no Sunbreak backend.</source>
            <translation>Python {version} hat kein Sunbreak-Backend.</translation>
        </message>
        <message>
            <source>{names} cannot be imported there: {why}</source>
            <translation>{names} lässt sich dort nicht importieren: {why}</translation>
        </message>
        <message>
            <source>The backend {release} speaks version {theirs} of the process protocol, this plugin {ours}.</source>
            <translation>Das Backend {release} spricht Version {theirs} des Prozessprotokolls, diese Erweiterung Version {ours}.</translation>
        </message>
        <message>
            <source>{program} could not be started: {reason}.</source>
            <translation>{program} konnte nicht gestartet werden: {reason}.</translation>
        </message>
        <message>
            <source>The package index has no pip.</source>
            <translation>Der Paketindex hat kein pip.</translation>
        </message>
        <message>
            <source>pip arrived damaged.</source>
            <translation>pip kam beschädigt an.</translation>
        </message>
        <message>
            <source>Press Install again.</source>
            <translation>Drücken Sie noch einmal auf „Installieren“.</translation>
        </message>
        <message>
            <source>Check the network and the proxy in Settings &gt; Options &gt; Network.</source>
            <translation>Prüfen Sie Netz und Proxy unter Einstellungen &gt; Optionen &gt; Netzwerk.</translation>
        </message>
        <message>
            <source>This Python has no pip, and the folder of wheels has none either.</source>
            <translation>Dieses Python hat kein pip, und der Ordner mit Wheels auch nicht.</translation>
        </message>
        <message>
            <source>Prepare the folder again, or choose another Python.</source>
            <translation>Bereiten Sie den Ordner noch einmal vor, oder wählen Sie ein anderes Python.</translation>
        </message>
        <message>
            <source>The package index cannot be reached: {reason}.</source>
            <translation>Der Paketindex ist nicht erreichbar: {reason}.</translation>
        </message>
        <message>
            <source>Make room there, or choose the CPU build, which is the smallest.</source>
            <translation>Schaffen Sie dort Platz, oder wählen Sie die CPU-Variante, die die kleinste ist.</translation>
        </message>
        <message>
            <source>Nothing half-made was left behind.</source>
            <translation>Es ist nichts Halbfertiges zurückgeblieben.</translation>
        </message>
        <message>
            <source>The proxy asks for a user name and password (407).</source>
            <translation>Der Proxy verlangt Benutzernamen und Passwort (407).</translation>
        </message>
        <message>
            <source>Set them in Settings &gt; Options &gt; Network, then press Install again.</source>
            <translation>Tragen Sie sie unter Einstellungen &gt; Optionen &gt; Netzwerk ein und drücken Sie noch einmal auf „Installieren“.</translation>
        </message>
        <message>
            <source>The proxy cannot be reached.</source>
            <translation>Der Proxy ist nicht erreichbar.</translation>
        </message>
        <message>
            <source>Check its host and port in Settings &gt; Options &gt; Network, or switch it off there.</source>
            <translation>Prüfen Sie Rechner und Port unter Einstellungen &gt; Optionen &gt; Netzwerk, oder schalten Sie ihn dort ab.</translation>
        </message>
        <message>
            <source>Python's installer cannot use a SOCKS proxy.</source>
            <translation>Pythons Installationsprogramm kann keinen SOCKS-Proxy benutzen.</translation>
        </message>
        <message>
            <source>Set an HTTP proxy in Settings &gt; Options &gt; Network, or install offline from a folder of wheels.</source>
            <translation>Tragen Sie unter Einstellungen &gt; Optionen &gt; Netzwerk einen HTTP-Proxy ein, oder installieren Sie ohne Netz aus einem Ordner mit Wheels.</translation>
        </message>
        <message>
            <source>The certificate of the package index is not trusted.</source>
            <translation>Dem Zertifikat des Paketindexes wird nicht vertraut.</translation>
        </message>
        <message>
            <source>If your company inspects its network traffic, import its root certificate in Settings &gt; Options &gt; Authentication &gt; Manage Certificates, then press Install again.</source>
            <translation>Falls Ihre Firma den Netzverkehr prüft, importieren Sie ihr Stammzertifikat unter Einstellungen &gt; Optionen &gt; Authentifizierung &gt; Zertifikate verwalten, und drücken Sie noch einmal auf „Installieren“.</translation>
        </message>
        <message>
            <source>The disk became full.</source>
            <translation>Der Datenträger ist voll.</translation>
        </message>
        <message>
            <source>Make room on the disk of the QGIS profile and try again.</source>
            <translation>Schaffen Sie Platz auf dem Datenträger des QGIS-Profils und versuchen Sie es noch einmal.</translation>
        </message>
        <message>
            <source>The download broke off.</source>
            <translation>Das Herunterladen ist abgebrochen.</translation>
        </message>
        <message>
            <source>Press Install again: packages that came whole are kept, and it goes on with the next one.</source>
            <translation>Drücken Sie noch einmal auf „Installieren“: Ganz angekommene Pakete bleiben, und es geht mit dem nächsten weiter.</translation>
        </message>
        <message>
            <source>The package index cannot be reached.</source>
            <translation>Der Paketindex ist nicht erreichbar.</translation>
        </message>
        <message>
            <source>Check the network and the proxy (Settings &gt; Options &gt; Network), or install offline from a folder of wheels.</source>
            <translation>Prüfen Sie Netz und Proxy (Einstellungen &gt; Optionen &gt; Netzwerk), oder installieren Sie ohne Netz aus einem Ordner mit Wheels.</translation>
        </message>
        <message>
            <source>Copy it into the folder of wheels again, then try again.</source>
            <translation>Kopieren Sie es noch einmal in den Ordner mit Wheels, und versuchen Sie es dann erneut.</translation>
        </message>
        <message>
            <source>Press Install again: it will be downloaded anew.</source>
            <translation>Drücken Sie noch einmal auf „Installieren“: Es wird neu heruntergeladen.</translation>
        </message>
        <message>
            <source>see the log</source>
            <translation>siehe Protokoll</translation>
        </message>
        <message>
            <source>A file name became too long for Windows.</source>
            <translation>Ein Dateiname ist für Windows zu lang geworden.</translation>
        </message>
        <message>
            <source>Switch on long paths in Windows (Settings &gt; System &gt; For developers), or use a profile with a shorter path.</source>
            <translation>Schalten Sie in Windows lange Pfade ein (Einstellungen &gt; System &gt; Für Entwickler), oder benutzen Sie ein Profil mit kürzerem Pfad.</translation>
        </message>
        <message>
            <source>Check the rights of the QGIS profile folder, and whether another program or a virus scanner holds it.</source>
            <translation>Prüfen Sie die Rechte am Ordner des QGIS-Profils, und ob ein anderes Programm oder ein Virenscanner ihn festhält.</translation>
        </message>
        <message>
            <source>This Python cannot make virtual environments.</source>
            <translation>Dieses Python kann keine virtuellen Umgebungen anlegen.</translation>
        </message>
        <message>
            <source>Install what it lacks (Debian and Ubuntu: package python3-venv), or choose another Python.</source>
            <translation>Installieren Sie, was ihm fehlt (Debian und Ubuntu: Paket python3-venv), oder wählen Sie ein anderes Python.</translation>
        </message>
        <message>
            <source>Prepare the folder again on a machine of the same kind, for the Python that is chosen here.</source>
            <translation>Bereiten Sie den Ordner noch einmal vor: auf einem gleichartigen Rechner und für das hier gewählte Python.</translation>
        </message>
        <message>
            <source>Choose another Python (3.11 or 3.12 are the safest) or another build.</source>
            <translation>Wählen Sie ein anderes Python (3.11 oder 3.12 sind am sichersten) oder eine andere Variante.</translation>
        </message>
        <message>
            <source>This Python is too old or too new for the backend.</source>
            <translation>Dieses Python ist für das Backend zu alt oder zu neu.</translation>
        </message>
        <message>
            <source>Choose Python 3.10 to 3.13.</source>
            <translation>Wählen Sie Python 3.10 bis 3.13.</translation>
        </message>
        <message>
            <source>The log says no more.</source>
            <translation>Mehr sagt das Protokoll nicht.</translation>
        </message>
        <message>
            <source>There is too little free disk space: {needed:.1f} GB are needed, {free:.1f} GB are free in {folder}.</source>
            <translation>Es ist zu wenig Speicherplatz frei: {needed:.1f} GB werden gebraucht, {free:.1f} GB sind frei in {folder}.</translation>
        </message>
        <message>
            <source>A package is damaged: {name}.</source>
            <translation>Ein Paket ist beschädigt: {name}.</translation>
        </message>
        <message>
            <source>A package arrived damaged: {name}.</source>
            <translation>Ein Paket kam beschädigt an: {name}.</translation>
        </message>
        <message>
            <source>A file could not be written: {text}.</source>
            <translation>Eine Datei konnte nicht geschrieben werden: {text}.</translation>
        </message>
        <message>
            <source>The folder of wheels lacks {name}, or has it for another Python or operating system.</source>
            <translation>Dem Ordner mit Wheels fehlt {name}, oder er hat es für ein anderes Python oder Betriebssystem.</translation>
        </message>
        <message>
            <source>The package index has no {name} for this Python and operating system.</source>
            <translation>Der Paketindex hat {name} nicht für dieses Python und Betriebssystem.</translation>
        </message>
        <message>
            <source>Unpacked {done} of {count} packages</source>
            <translation>{done} von {count} Paketen entpackt</translation>
        </message>
        <message>
            <source>Unpacking {count} packages</source>
            <translation>{count} Pakete werden entpackt</translation>
        </message>
        <message>
            <source>{name}: {done:.0f} of {total:.0f} MB ({everything:.0f} MB of about {expected:.0f})</source>
            <translation>{name}: {done:.0f} von {total:.0f} MB ({everything:.0f} MB von etwa {expected:.0f})</translation>
        </message>
        <message>
            <source>Deleting old files of the Sunbreak backend</source>
            <translation>Alte Dateien des Sunbreak-Backends werden gelöscht</translation>
        </message>
        <message>
            <source>Something else is being done with the backend.</source>
            <translation>Am Backend wird gerade etwas anderes gemacht.</translation>
        </message>
        <message>
            <source>Please report it with the text of the log.</source>
            <translation>Bitte melden Sie es mit dem Text des Protokolls.</translation>
        </message>
        <message>
            <source>The installation failed: {error}.</source>
            <translation>Die Installation ist fehlgeschlagen: {error}.</translation>
        </message>
        <message>
            <source>The folder of wheels is ready.</source>
            <translation>Der Ordner mit Wheels ist fertig.</translation>
        </message>
        <message>
            <source>The folder lacks {names}.</source>
            <translation>Dem Ordner fehlt {names}.</translation>
        </message>
        <message>
            <source>Check its interpreter in Settings &gt; Options &gt; Processing &gt; Providers &gt; Sunbreak.</source>
            <translation>Prüfen Sie den Interpreter unter Einstellungen &gt; Optionen &gt; Verarbeitung &gt; Anbieter &gt; Sunbreak.</translation>
        </message>
        <message>
            <source>The backend was killed, most likely because the machine ran out of memory.</source>
            <translation>Das Backend wurde abgeschossen, höchstwahrscheinlich weil der Arbeitsspeicher nicht reichte.</translation>
        </message>
        <message>
            <source>Close other programs, or set a smaller extent.</source>
            <translation>Schließen Sie andere Programme, oder geben Sie eine kleinere Ausdehnung an.</translation>
        </message>
        <message>
            <source>crashed (signal {code})</source>
            <translation>ist abgestürzt (Signal {code})</translation>
        </message>
        <message>
            <source>ended with exit status {code}</source>
            <translation>endete mit Status {code}</translation>
        </message>
        <message>
            <source>The backend ended without a result.</source>
            <translation>Das Backend endete ohne Ergebnis.</translation>
        </message>
        <message>
            <source>The backend could not be started: {program}: {reason}.</source>
            <translation>Das Backend konnte nicht gestartet werden: {program}: {reason}.</translation>
        </message>
        <message>
            <source>Nothing was left behind.</source>
            <translation>Es ist nichts zurückgeblieben.</translation>
        </message>
        <message>
            <source>, about {minutes:.0f} min {seconds:02.0f} s left</source>
            <translation>, noch etwa {minutes:.0f} min {seconds:02.0f} s</translation>
        </message>
        <message>
            <source>{program} has no Sunbreak backend.</source>
            <translation>{program} hat kein Sunbreak-Backend.</translation>
        </message>
        <message>
            <source>Install it there: "{program}" -m pip install sunbreak.</source>
            <translation>Installieren Sie es dort: "{program}" -m pip install sunbreak.</translation>
        </message>
        <message>
            <source>The backend {how}.</source>
            <translation>Das Backend {how}.</translation>
        </message>
        <message>
            <source>The backend {release} speaks version {theirs} of the process protocol, this plugin version {ours}.</source>
            <translation>Das Backend {release} spricht Version {theirs} des Prozessprotokolls, diese Version der Erweiterung Version {ours}.</translation>
        </message>
        <message>
            <source>The backend is removed.</source>
            <translation>Das Backend ist entfernt.</translation>
        </message>
        <message>
            <source>Sunbreak backend</source>
            <translation>Sunbreak-Backend</translation>
        </message>
        <message>
            <source>&amp;Update</source>
            <translation>&amp;Aktualisieren</translation>
        </message>
        <message>
            <source>&amp;Repair</source>
            <translation>&amp;Reparieren</translation>
        </message>
        <message>
            <source>Remo&amp;ve</source>
            <translation>&amp;Entfernen</translation>
        </message>
        <message>
            <source>&amp;Check</source>
            <translation>&amp;Prüfen</translation>
        </message>
        <message>
            <source>&amp;Log</source>
            <translation>Pro&amp;tokoll</translation>
        </message>
        <message>
            <source>Install</source>
            <translation>Installieren</translation>
        </message>
        <message>
            <source>Cancel installation</source>
            <translation>Installation abbrechen</translation>
        </message>
        <message>
            <source>Folder for the wheels</source>
            <translation>Ordner für die Wheels</translation>
        </message>
        <message>
            <source>Preparing a folder of wheels for Sunbreak</source>
            <translation>Ein Ordner mit Wheels für Sunbreak wird vorbereitet</translation>
        </message>
        <message>
            <source>Checking a Python for Sunbreak</source>
            <translation>Ein Python wird für Sunbreak geprüft</translation>
        </message>
        <message>
            <source>Sunbreak {version}, {build}, Python {python}</source>
            <translation>Sunbreak {version}, {build}, Python {python}</translation>
        </message>
        <message>
            <source>No backend is installed yet.</source>
            <translation>Es ist noch kein Backend installiert.</translation>
        </message>
        <message>
            <source>It was installed from a folder of wheels: choose that folder, then install again.</source>
            <translation>Es wurde aus einem Ordner mit Wheels installiert: Wählen Sie diesen Ordner und installieren Sie noch einmal.</translation>
        </message>
        <message>
            <source>Remove the backend {version} from your QGIS profile? Models and results stay.</source>
            <translation>Das Backend {version} aus Ihrem QGIS-Profil entfernen? Modelle und Ergebnisse bleiben.</translation>
        </message>
        <message>
            <source>Removing the Sunbreak backend</source>
            <translation>Das Sunbreak-Backend wird entfernt</translation>
        </message>
        <message>
            <source>Cancelling</source>
            <translation>Wird abgebrochen</translation>
        </message>
        <message>
            <source>Updating the Sunbreak backend</source>
            <translation>Das Sunbreak-Backend wird aktualisiert</translation>
        </message>
        <message>
            <source>Repairing the Sunbreak backend</source>
            <translation>Das Sunbreak-Backend wird repariert</translation>
        </message>
        <message>
            <source>In use: your own Python {path}.</source>
            <translation>In Gebrauch: Ihr eigenes Python {path}.</translation>
        </message>
        <message>
            <source>Installing the Sunbreak backend</source>
            <translation>Das Sunbreak-Backend wird installiert</translation>
        </message>
        <message>
            <source>{backend} is installed and will be used.</source>
            <translation>{backend} ist installiert und wird benutzt.</translation>
        </message>
        <message>
            <source>It does not see the GPU and will use the CPU: update the NVIDIA driver.</source>
            <translation>Es sieht die GPU nicht und rechnet auf der CPU: Aktualisieren Sie den NVIDIA-Treiber.</translation>
        </message>
        <message>
            <source>{folder}: {count} packages, {size:.0f} MB, for machines like this one.</source>
            <translation>{folder}: {count} Pakete, {size:.0f} MB, für Rechner wie diesen.</translation>
        </message>
        <message>
            <source>{path} works: Python {python}, Sunbreak {sunbreak}, torch {torch}, devices: {devices}.</source>
            <translation>{path} funktioniert: Python {python}, Sunbreak {sunbreak}, torch {torch}, Geräte: {devices}.</translation>
        </message>
        <message>
            <source>Checking {path}</source>
            <translation>{path} wird geprüft</translation>
        </message>
        <message>
            <source>The backend {version} cannot be started, because its Python is gone: {base}. Press Repair.</source>
            <translation>Das Backend {version} lässt sich nicht starten, weil sein Python verschwunden ist: {base}. Drücken Sie auf „Reparieren“.</translation>
        </message>
        <message>
            <source>Installed: {backend}.</source>
            <translation>Installiert: {backend}.</translation>
        </message>
        <message>
            <source>The plugin is release {version}; better use the same.</source>
            <translation>Die Erweiterung hat die Version {version}; besser ist es, dieselbe zu benutzen.</translation>
        </message>
        <message>
            <source>The plugin is release {version}: press Update.</source>
            <translation>Die Erweiterung hat die Version {version}: Drücken Sie auf „Aktualisieren“.</translation>
        </message>
        <message>
            <source>CPU (runs everywhere, with OpenVINO)</source>
            <translation>CPU (läuft überall, mit OpenVINO)</translation>
        </message>
        <message>
            <source>NVIDIA GPU, CUDA 13 (driver 580 or newer)</source>
            <translation>NVIDIA-GPU, CUDA 13 (Treiber 580 oder neuer)</translation>
        </message>
        <message>
            <source>NVIDIA GPU, CUDA 12 (older GPUs and drivers)</source>
            <translation>NVIDIA-GPU, CUDA 12 (ältere GPUs und Treiber)</translation>
        </message>
        <message>
            <source>Apple silicon (GPU through Metal)</source>
            <translation>Apple Silicon (GPU über Metal)</translation>
        </message>
        <message>
            <source>&amp;Install</source>
            <translation>&amp;Installieren</translation>
        </message>
        <message>
            <source>O&amp;ther…</source>
            <translation>An&amp;deres …</translation>
        </message>
        <message>
            <source>Choose another Python 3.10 to 3.13</source>
            <translation>Ein anderes Python 3.10 bis 3.13 wählen</translation>
        </message>
        <message>
            <source>the usual package index</source>
            <translation>der übliche Paketindex</translation>
        </message>
        <message>
            <source>&amp;Keep finished downloads when I cancel</source>
            <translation>Fertig geladenes be&amp;halten, wenn ich abbreche</translation>
        </message>
        <message>
            <source>&amp;Python:</source>
            <translation>&amp;Python:</translation>
        </message>
        <message>
            <source>&amp;Build:</source>
            <translation>&amp;Variante:</translation>
        </message>
        <message>
            <source>Torch &amp;from:</source>
            <translation>Torch &amp;von:</translation>
        </message>
        <message>
            <source>Looking for Python…</source>
            <translation>Python wird gesucht …</translation>
        </message>
        <message>
            <source>Choose a Python 3.10 to 3.13</source>
            <translation>Ein Python 3.10 bis 3.13 wählen</translation>
        </message>
        <message>
            <source>Install &amp;offline</source>
            <translation>&amp;Ohne Netz installieren</translation>
        </message>
        <message>
            <source>Install from this folder</source>
            <translation>Aus diesem Ordner installieren</translation>
        </message>
        <message>
            <source>Folder of wheels</source>
            <translation>Ordner mit Wheels</translation>
        </message>
        <message>
            <source>Prepare &amp;such a folder here…</source>
            <translation>Einen solchen Ordner &amp;hier vorbereiten …</translation>
        </message>
        <message>
            <source>Downloads everything for the Python and the build that are chosen under Install</source>
            <translation>Lädt alles für das Python und die Variante herunter, die unter „Installieren“ gewählt sind</translation>
        </message>
        <message>
            <source>&amp;Folder of wheels:</source>
            <translation>Ordner mit &amp;Wheels:</translation>
        </message>
        <message>
            <source>Use an existing &amp;Python</source>
            <translation>Vorhandenes &amp;Python benutzen</translation>
        </message>
        <message>
            <source>Check and use</source>
            <translation>Prüfen und benutzen</translation>
        </message>
        <message>
            <source>interpreter, or folder of a virtual or conda environment</source>
            <translation>Interpreter, oder Ordner einer virtuellen oder Conda-Umgebung</translation>
        </message>
        <message>
            <source>&amp;Browse…</source>
            <translation>&amp;Durchsuchen …</translation>
        </message>
        <message>
            <source>&amp;Environment:</source>
            <translation>&amp;Umgebung:</translation>
        </message>
        <message>
            <source>Choose a Python with the backend</source>
            <translation>Ein Python wählen, das das Backend hat</translation>
        </message>
        <message>
            <source>Installs the backend into a Python environment of its own in your QGIS profile. Nothing is installed into QGIS.</source>
            <translation>Installiert das Backend in eine eigene Python-Umgebung in Ihrem QGIS-Profil. In QGIS selbst wird nichts installiert.</translation>
        </message>
        <message>
            <source>torch has no build for Intel Macs: use an existing Python with an older torch.</source>
            <translation>Für Macs mit Intel-Prozessor gibt es kein torch: Benutzen Sie ein vorhandenes Python mit einem älteren torch.</translation>
        </message>
        <message>
            <source>no NVIDIA GPU</source>
            <translation>keine NVIDIA-GPU</translation>
        </message>
        <message>
            <source>Apple silicon</source>
            <translation>Apple Silicon</translation>
        </message>
        <message>
            <source>none found</source>
            <translation>keines gefunden</translation>
        </message>
        <message>
            <source>This is no Python 3.10 to 3.13 that an environment can be made with.</source>
            <translation>Das ist kein Python 3.10 bis 3.13, mit dem sich eine Umgebung anlegen lässt.</translation>
        </message>
        <message>
            <source>For machines without a network. The folder is prepared on a machine that has one, with the same operating system, processor and version of Python.</source>
            <translation>Für Rechner ohne Netz. Der Ordner wird auf einem Rechner mit Netz vorbereitet, der dasselbe Betriebssystem, denselben Prozessortyp und dieselbe Python-Version hat.</translation>
        </message>
        <message>
            <source>Uses a Python or conda environment that you look after yourself. Before it is used, its version, its packages and the backend in it are checked.</source>
            <translation>Benutzt eine Python- oder Conda-Umgebung, um die Sie sich selbst kümmern. Bevor sie benutzt wird, werden ihre Version, ihre Pakete und das Backend darin geprüft.</translation>
        </message>
        <message>
            <source>Found: {what}. Recommended: {build}.</source>
            <translation>Gefunden: {what}. Empfohlen: {build}.</translation>
        </message>
        <message>
            <source>No Python 3.10 to 3.13 was found. Install one, for example from {link}, then open this window again. QGIS's own Python cannot be used: what is installed into it can break other plugins.</source>
            <translation>Es wurde kein Python 3.10 bis 3.13 gefunden. Installieren Sie eines, zum Beispiel von {link}, und öffnen Sie dieses Fenster noch einmal. QGIS' eigenes Python kann nicht benutzt werden: Was dort installiert wird, kann andere Erweiterungen stören.</translation>
        </message>
        <message>
            <source>Downloads about {download:.1f} GB and takes about {disk:.1f} GB in {folder} ({free:.0f} GB free).</source>
            <translation>Lädt etwa {download:.1f} GB und belegt etwa {disk:.1f} GB in {folder} ({free:.0f} GB frei).</translation>
        </message>
        <message>
            <source>This folder lacks wheels of {names}.</source>
            <translation>Diesem Ordner fehlen Wheels von {names}.</translation>
        </message>
        <message>
            <source>{count} packages, {size:.0f} MB, torch {torch}.</source>
            <translation>{count} Pakete, {size:.0f} MB, torch {torch}.</translation>
        </message>
        <message>
            <source>It will be installed with {python}.</source>
            <translation>Installiert wird mit {python}.</translation>
        </message>
        <message>
            <source>They are for Python {version}, which was not found on this machine.</source>
            <translation>Sie sind für Python {version}, das auf diesem Rechner nicht gefunden wurde.</translation>
        </message>
        <message>
            <source>predicted (in each place its own)</source>
            <translation>predicted (an jedem Ort die dortige)</translation>
        </message>
        <message>
            <source>none (explain nothing)</source>
            <translation>none (nichts erklären)</translation>
        </message>
        <message>
            <source>The run will cover the rectangle.</source>
            <translation>Der Lauf umfasst das Rechteck.</translation>
        </message>
        <message>
            <source>Whole scene</source>
            <translation>Ganze Szene</translation>
        </message>
        <message>
            <source>Current view</source>
            <translation>Aktueller Kartenausschnitt</translation>
        </message>
        <message>
            <source>Drawn on the map</source>
            <translation>Auf der Karte gezeichnet</translation>
        </message>
        <message>
            <source>Draw a rectangle on the map first.</source>
            <translation>Zuerst ein Rechteck auf der Karte zeichnen.</translation>
        </message>
        <message>
            <source>Draw a rectangle on the map.</source>
            <translation>Ziehen Sie auf der Karte ein Rechteck auf.</translation>
        </message>
        <message>
            <source>The rectangle does not touch the scene.</source>
            <translation>Das Rechteck berührt die Szene nicht.</translation>
        </message>
        <message>
            <source>The current view does not show the scene.</source>
            <translation>Der aktuelle Kartenausschnitt zeigt die Szene nicht.</translation>
        </message>
        <message>
            <source>The extent of the map cannot be brought into the scene's coordinates ({crs}). Zoom to the scene.</source>
            <translation>Der Ausschnitt der Karte lässt sich nicht in die Koordinaten der Szene ({crs}) umrechnen. Auf die Szene zoomen.</translation>
        </message>
        <message>
            <source>Import a checkpoint</source>
            <translation>Checkpoint importieren</translation>
        </message>
        <message>
            <source>Checkpoint</source>
            <translation>Checkpoint</translation>
        </message>
        <message>
            <source>Checkpoints (*.pth *.pt *.tar *.ckpt *.safetensors);;All files (*)</source>
            <translation>Checkpoints (*.pth *.pt *.tar *.ckpt *.safetensors);;Alle Dateien (*)</translation>
        </message>
        <message>
            <source>Configuration</source>
            <translation>Konfiguration</translation>
        </message>
        <message>
            <source>Configurations (*.json);;All files (*)</source>
            <translation>Konfigurationen (*.json);;Alle Dateien (*)</translation>
        </message>
        <message>
            <source>conf.json of an UnCRtainTS training, or JSON with the bands, classes and scaling of a classifier</source>
            <translation>conf.json eines UnCRtainTS-Trainings, oder JSON mit Bändern, Klassen und Skalierung eines Klassifikators</translation>
        </message>
        <message>
            <source>one line that says what it is</source>
            <translation>eine Zeile, die sagt, was es ist</translation>
        </message>
        <message>
            <source>of the weights, such as CC-BY-4.0; unknown if empty</source>
            <translation>der Gewichte, etwa CC-BY-4.0; leer: unbekannt</translation>
        </message>
        <message>
            <source>Choose the file of the weights.</source>
            <translation>Die Datei der Gewichte wählen.</translation>
        </message>
        <message>
            <source>Read off the checkpoint</source>
            <translation>Aus dem Checkpoint ablesen</translation>
        </message>
        <message>
            <source>&amp;Checkpoint</source>
            <translation>&amp;Checkpoint</translation>
        </message>
        <message>
            <source>&amp;Name</source>
            <translation>&amp;Name</translation>
        </message>
        <message>
            <source>&amp;Task</source>
            <translation>Auf&amp;gabe</translation>
        </message>
        <message>
            <source>T&amp;itle</source>
            <translation>&amp;Titel</translation>
        </message>
        <message>
            <source>&amp;Licence</source>
            <translation>&amp;Lizenz</translation>
        </message>
        <message>
            <source>C&amp;onfiguration</source>
            <translation>&amp;Konfiguration</translation>
        </message>
        <message>
            <source>A name has letters, digits, dots, dashes and underscores.</source>
            <translation>Ein Name besteht aus Buchstaben, Ziffern, Punkten, Binde- und Unterstrichen.</translation>
        </message>
        <message>
            <source>There is no such configuration.</source>
            <translation>Diese Konfiguration gibt es nicht.</translation>
        </message>
        <message>
            <source>There is a model {name} already.</source>
            <translation>Es gibt schon ein Modell {name}.</translation>
        </message>
        <message>
            <source>&amp;Panel</source>
            <translation>&amp;Bedienfeld</translation>
        </message>
        <message>
            <source>Mode&amp;ls…</source>
            <translation>&amp;Modelle …</translation>
        </message>
        <message>
            <source>&amp;Backend…</source>
            <translation>&amp;Backend …</translation>
        </message>
        <message>
            <source>&amp;Doctor…</source>
            <translation>&amp;Diagnose …</translation>
        </message>
        <message>
            <source>Open the de&amp;mo scene</source>
            <translation>Beispiels&amp;zene öffnen</translation>
        </message>
        <message>
            <source>&amp;User guide</source>
            <translation>Ben&amp;utzerhandbuch</translation>
        </message>
        <message>
            <source>The backend, which does the computing, is not installed yet.</source>
            <translation>Das Backend, das die Berechnungen macht, ist noch nicht installiert.</translation>
        </message>
        <message>
            <source>Install…</source>
            <translation>Installieren …</translation>
        </message>
        <message>
            <source>{path} cannot be opened. Install the plugin again.</source>
            <translation>{path} lässt sich nicht öffnen. Installieren Sie die Erweiterung noch einmal.</translation>
        </message>
        <message>
            <source>PSNR {value:.1f} dB</source>
            <translation>PSNR {value:.1f} dB</translation>
        </message>
        <message>
            <source>Measured on {data}: {figures}.</source>
            <translation>Gemessen an {data}: {figures}.</translation>
        </message>
        <message>
            <source>Nothing was measured with it.</source>
            <translation>Damit wurde nichts gemessen.</translation>
        </message>
        <message>
            <source>accuracy {accuracy:.0f} %</source>
            <translation>Genauigkeit {accuracy:.0f} %</translation>
        </message>
        <message>
            <source>, {value:.1f} dB under clouds</source>
            <translation>, {value:.1f} dB unter Wolken</translation>
        </message>
        <message>
            <source> ({value:.1f} dB before)</source>
            <translation> (vorher {value:.1f} dB)</translation>
        </message>
        <message>
            <source>Licence: {licence}</source>
            <translation>Lizenz: {licence}</translation>
        </message>
        <message>
            <source>Model card…</source>
            <translation>Modellkarte …</translation>
        </message>
        <message>
            <source>, macro F1 {f1:.2f}</source>
            <translation>, Makro-F1 {f1:.2f}</translation>
        </message>
        <message>
            <source>unknown</source>
            <translation>unbekannt</translation>
        </message>
        <message>
            <source>Default</source>
            <translation>Voreinstellung</translation>
        </message>
        <message>
            <source>Sunbreak: models</source>
            <translation>Sunbreak: Modelle</translation>
        </message>
        <message>
            <source>&amp;Import a checkpoint…</source>
            <translation>Checkpoint &amp;importieren …</translation>
        </message>
        <message>
            <source>&amp;Delete…</source>
            <translation>&amp;Löschen …</translation>
        </message>
        <message>
            <source>&amp;Models</source>
            <translation>&amp;Modelle</translation>
        </message>
        <message>
            <source>&amp;Cancel</source>
            <translation>&amp;Abbrechen</translation>
        </message>
        <message>
            <source>Delete</source>
            <translation>Löschen</translation>
        </message>
        <message>
            <source>Importing {name}…</source>
            <translation>{name} wird importiert …</translation>
        </message>
        <message>
            <source>Delete the model {name} with its weights?</source>
            <translation>Das Modell {name} mit seinen Gewichten löschen?</translation>
        </message>
        <message>
            <source>{name} (default)</source>
            <translation>{name} (voreingestellt)</translation>
        </message>
        <message>
            <source>Deleting {name}…</source>
            <translation>{name} wird gelöscht …</translation>
        </message>
        <message>
            <source>Sunbreak</source>
            <translation>Sunbreak</translation>
        </message>
        <message>
            <source>&amp;Preview</source>
            <translation>&amp;Vorschau</translation>
        </message>
        <message>
            <source>Clean the middle of the current view, which takes seconds</source>
            <translation>Die Mitte des aktuellen Ausschnitts bereinigen; das dauert Sekunden</translation>
        </message>
        <message>
            <source>&amp;Run</source>
            <translation>Sta&amp;rten</translation>
        </message>
        <message>
            <source>&amp;Install the backend…</source>
            <translation>Backend &amp;installieren …</translation>
        </message>
        <message>
            <source>Starting…</source>
            <translation>Wird gestartet …</translation>
        </message>
        <message>
            <source>Remove clouds, classify, explain</source>
            <translation>Wolken entfernen, klassifizieren, erklären</translation>
        </message>
        <message>
            <source>&amp;Sentinel-2</source>
            <translation>&amp;Sentinel-2</translation>
        </message>
        <message>
            <source>Sentinel-&amp;1</source>
            <translation>Sentinel-&amp;1</translation>
        </message>
        <message>
            <source>Cloud &amp;mask</source>
            <translation>&amp;Wolkenmaske</translation>
        </message>
        <message>
            <source>M&amp;odel</source>
            <translation>M&amp;odell</translation>
        </message>
        <message>
            <source>C&amp;lassifier</source>
            <translation>K&amp;lassifikator</translation>
        </message>
        <message>
            <source>&amp;Extent</source>
            <translation>Aus&amp;dehnung</translation>
        </message>
        <message>
            <source>Load a Sentinel-2 scene and choose it above.</source>
            <translation>Laden Sie eine Sentinel-2-Szene und wählen Sie sie oben aus.</translation>
        </message>
        <message>
            <source>Cancelling…</source>
            <translation>Wird abgebrochen …</translation>
        </message>
        <message>
            <source>Preview {time}: {scene}</source>
            <translation>Vorschau {time}: {scene}</translation>
        </message>
        <message>
            <source>Done: {share} % of the preview was cloud.</source>
            <translation>Fertig: {share} % der Vorschau waren Wolken.</translation>
        </message>
        <message>
            <source>Done: {share} % of the scene was cloud.</source>
            <translation>Fertig: {share} % der Szene waren bewölkt.</translation>
        </message>
        <message>
            <source>Done.</source>
            <translation>Fertig.</translation>
        </message>
        <message>
            <source>The run failed; see the log of Processing.</source>
            <translation>Der Lauf ist fehlgeschlagen; siehe das Protokoll der Verarbeitung.</translation>
        </message>
        <message>
            <source>{folder} cannot be written to: {reason}. Choose another output folder.</source>
            <translation>In {folder} kann nicht geschrieben werden: {reason}. Wählen Sie einen anderen Ausgabeordner.</translation>
        </message>
        <message>
            <source>{path} cannot be written: {reason}. Close the programs that use it, or choose another name.</source>
            <translation>{path} kann nicht geschrieben werden: {reason}. Schließen Sie die Programme, die sie benutzen, oder wählen Sie einen anderen Namen.</translation>
        </message>
        <message>
            <source>The polygon layer "{name}" has no coordinate reference system. Set it in the layer's properties.</source>
            <translation>Der Polygonlayer „{name}“ hat kein Koordinatenreferenzsystem. Legen Sie es in den Eigenschaften des Layers fest.</translation>
        </message>
        <message>
            <source>There is no polygon in "{name}". Select some, or untick "Selected features only".</source>
            <translation>In „{name}“ ist kein Polygon. Wählen Sie welche aus, oder entfernen Sie das Häkchen bei „Nur gewählte Objekte“.</translation>
        </message>
        <message>
            <source>The polygons of "{name}" cannot be transformed to the scene: {reason}.</source>
            <translation>Die Polygone von „{name}“ lassen sich nicht in das Koordinatensystem der Szene umrechnen: {reason}.</translation>
        </message>
        <message>
            <source>True colour</source>
            <translation>Echtfarben</translation>
        </message>
        <message>
            <source>False colour (near infrared, red, green)</source>
            <translation>Falschfarben (nahes Infrarot, Rot, Grün)</translation>
        </message>
        <message>
            <source>{scene}: after</source>
            <translation>{scene}: nachher</translation>
        </message>
        <message>
            <source>True colour like the cleaned scene</source>
            <translation>Echtfarben wie die bereinigte Szene</translation>
        </message>
        <message>
            <source>{scene}: before</source>
            <translation>{scene}: vorher</translation>
        </message>
        <message>
            <source>Install the backend with Plugins &gt; Sunbreak &gt; Backend, or set an interpreter that has it in Settings &gt; Options &gt; Processing &gt; Providers &gt; Sunbreak, or in the environment variable SUNBREAK_PYTHON.</source>
            <translation>Installieren Sie das Backend mit Erweiterungen &gt; Sunbreak &gt; Backend, oder geben Sie einen Interpreter an, der es hat: unter Einstellungen &gt; Optionen &gt; Verarbeitung &gt; Anbieter &gt; Sunbreak oder in der Umgebungsvariablen SUNBREAK_PYTHON.</translation>
        </message>
        <message>
            <source>Python interpreter of the backend</source>
            <translation>Python-Interpreter des Backends</translation>
        </message>
        <message>
            <source>the Processing options</source>
            <translation>den Verarbeitungsoptionen</translation>
        </message>
        <message>
            <source>the environment variable SUNBREAK_PYTHON</source>
            <translation>der Umgebungsvariablen SUNBREAK_PYTHON</translation>
        </message>
        <message>
            <source>The Sunbreak backend was not found.</source>
            <translation>Das Sunbreak-Backend wurde nicht gefunden.</translation>
        </message>
        <message>
            <source>Repair the backend with Plugins &gt; Sunbreak &gt; Backend.</source>
            <translation>Reparieren Sie das Backend mit Erweiterungen &gt; Sunbreak &gt; Backend.</translation>
        </message>
        <message>
            <source>The Python that the backend was installed with is gone: {base}.</source>
            <translation>Das Python, mit dem das Backend installiert wurde, ist verschwunden: {base}.</translation>
        </message>
        <message>
            <source>The backend's interpreter from {origin} is not an executable file: {path}.</source>
            <translation>Der Interpreter des Backends aus {origin} ist keine ausführbare Datei: {path}.</translation>
        </message>
        <message>
            <source>Save it as a GeoTIFF (Export &gt; Save As...) and use that file.</source>
            <translation>Speichern Sie ihn als GeoTIFF (Exportieren &gt; Speichern als...) und benutzen Sie diese Datei.</translation>
        </message>
        <message>
            <source>The Sentinel-2 product of the layer "{name}" does not exist: {path}.</source>
            <translation>Das Sentinel-2-Produkt des Layers „{name}“ ist nicht vorhanden: {path}.</translation>
        </message>
        <message>
            <source>The layer "{name}" is not a raster file (its data come from "{provider}").</source>
            <translation>Der Layer „{name}“ ist keine Rasterdatei (seine Daten kommen von „{provider}“).</translation>
        </message>
        <message>
            <source>The layer "{name}" was opened with driver options ({source}), which the backend does not know.</source>
            <translation>Der Layer „{name}“ wurde mit Treiberoptionen geöffnet ({source}), die das Backend nicht kennt.</translation>
        </message>
        <message>
            <source>The layer "{name}" is not a local file of its own: {source}.</source>
            <translation>Der Layer „{name}“ ist keine eigenständige lokale Datei: {source}.</translation>
        </message>
    </context>
</TS>
