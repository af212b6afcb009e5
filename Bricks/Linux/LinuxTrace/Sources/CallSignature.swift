import Bytes

/// How the arguments of each call are written: a letter for each of them.
enum CallSignature {
    /// nil: nothing is known of this call.
    static func letters(_ number: Int) -> [UInt8]? {
        var current = 0
        var found: [UInt8]?
        table.forEachWord { word in
            if word.first == 0x40 {
                current = word.dropFirst().reduce(0) { $0 * 10 + Int($1 - 0x30) }
            } else {
                if current == number { found = word.first == 0x2e ? [] : word }
                current += 1
            }
        }
        return found
    }

    // d descriptor, D the same for *at calls, i int, l long, u size, x bits, o mode, m mode if a file is made, p pointer, s path,
    // W bytes given, R bytes got, N strings, V and v vectors given and got, S stat, T and t times given and got, a and B addresses of
    // sockets given and got, G a message, j pollfds, y and E epoll events, H sigaction, n set of signals, g signal, 2 two descriptors,
    // q and Q limits got and given, Z operation of a futex; the others are sets of FlagNames.
    private static var table: StaticString {
        """
        dRu dWu sOm d sS dS sS jui dlw puPMdx puP pu p gHpu hnpu . dIp dRul dWul dvu dVu sA 2 ippppp . puuxp pux pup pub @32 d \
        dd . Tp ip u ipp . ddpu XYi dai dBp dWukai dRukpp dGk dGk di dai di dBp dBp XYi2 diipi diipp Kpppx . . sNp i ipip ig p \
        @72 dfx di d d sl dl @79 pu s d ss so s so ss s ss sRu so do sii dii sii o pp rq ip p p @102 . @104 . i i . . ii . . . \
        ii ii ip ip iii ppp iii ppp i @124 i pp pp pu npTu @130 nu pp @133 sox @135 x @137 sp dp @140 ii iii @143 ip iip i i i \
        @149 pu pu x . @157 zxxxx Cp @160 rQ s . @170 Wu @186 . @188 sspux @191 sspu @200 ig p pZuTpx iup iup @213 i @217 dpu \
        p @221 dlui cpp iipp ip @226 i cT ct ct ciTp i dyii dedE iig sp @247 iipip @253 . dsx di @257 DsOm Dso Dsox DsiiF @262 \
        DsSF DsF DsDs DsDsF sDs DsRu Dso DsA ippppp juTpu @273 pu ipp dpdpux ddux dllx dVux @280 DspF dyiinu dnu ci i dill \
        dipp dp dBpY dnux iL L ddL 2L L dvul dVul iigp @299 dpukp @302 irQq @307 dpuk @309 ppp @316 DsDsx @318 RuU sx @324 iii \
        @326 dpdpux dvulx dVulx @332 DsFxp @334 puxx @435 pu uux Dspu @439 DsAF @441 dyiTnu
        """
    }
}
