!> Shortwave radiation in a canopy: two-stream approximation for a direct beam and for diffuse light.
!>
!> Dickinson (1983), Adv. Geophys. 25, 305-353; Sellers (1985), Int. J. Remote Sens. 6, 1335-1372; optical
!> properties of leaves and stems as in the CLM Technical Note, section 3.1. With x the leaf and stem area above a
!> level, kappa = mubar K, up and down the diffuse fluxes, the equations of Sellers (1985, eqs. 1-2) read
!>
!>     -mubar up'   + b up   - c down = d exp(-K x)
!>      mubar down' + b down - c up   = f exp(-K x)
!>
!> The note solves them with coefficients h1..h10 that divide by sigma = kappa**2 - (mubar h)**2 and by K - h, and
!> that hold exp(+h X). Here the same solution is written in decaying modes,
!>
!>     down = A exp(-h x) + r B exp(-h (X - x)) +              M D(x)
!>     up   = r A exp(-h x) +  B exp(-h (X - x)) + Q exp(-K x) + r M D(x)
!>     D(x) = (exp(-K x) - exp(-h x))/(h - K),   r = c/(b + mubar h)
!>
!> in which sigma cancels: no coefficient is singular, no exponential grows, and canopies of any depth need no cap.
!> D is the only quotient left that needs care (see `exponential_difference`). Leaves under snow scatter as snow does
!> (CLM Technical Note, eqs. 3.5-3.7). Sunlit leaves: Dai et al. (2004),
!> J. Climate 17, 2281-2299; unscattered beam, and scattered light weighted with the sunlit share exp(-K x).
module pl_two_stream
   use pl_chunk, only: w => chunk_width
   use pl_kinds, only: rk
   use pl_land_chunk, only: ground_chunk_type, nband, plant_chunk_type
   implicit none (type, external)
   private
   public :: two_stream, two_stream_type

   real(rk), parameter :: lowest_cosine = 0.001_rk      !! of a sun on the horizon (CLM note, section 3.1) [1]
   real(rk), parameter :: lowest_leaf_angle = -0.4_rk   !! range of chi_L for which the phi_1, phi_2 fit holds [1]
   real(rk), parameter :: highest_leaf_angle = 0.6_rk   !! (Sellers 1985, eq. 13) [1]
   real(rk), parameter :: spherical_leaf_angle = 0.01_rk !! |chi_L| below it is taken as this value, phi_2 divides [1]
   real(rk), parameter :: largest_scattering = 0.999_rk !! no leaf scatters all light; keeps r below one [1]
   real(rk), parameter :: smallest_area = 1.0e-6_rk     !! divisor of shares where there is no canopy [m2 m-2]
   real(rk), parameter :: snow_scattering(nband) = [0.8_rk, 0.4_rk] !! omega of snow on leaves (CLM note, table 3.2) [1]
   real(rk), parameter :: snow_upscatter = 0.5_rk       !! beta and beta_0 of snow on leaves [1]

   !> Shares of unit incoming flux: of the direct beam (`_direct`) or of diffuse light (`_diffuse`).
   type :: two_stream_type
      real(rk) :: albedo_direct(w, nband)       !! reflected by canopy and ground; 1 at night [1]
      real(rk) :: albedo_diffuse(w, nband)      !! reflected by canopy and ground [1]
      real(rk) :: absorbed_direct(w, nband)     !! by leaves and stems; 0 at night [1]
      real(rk) :: absorbed_diffuse(w, nband)    !! by leaves and stems [1]
      real(rk) :: sunlit_direct(w, nband)       !! part of absorbed_direct that sunlit leaves and stems take [1]
      real(rk) :: sunlit_diffuse(w, nband)      !! part of absorbed_diffuse; 0 at night [1]
      real(rk) :: transmitted_direct(w, nband)  !! scattered down onto the ground, per direct beam; 0 at night [1]
      real(rk) :: transmitted_diffuse(w, nband) !! reaching the ground [1]
      real(rk) :: beam_transmission(w)          !! direct beam reaching the ground unscattered; 0 at night [1]
      real(rk) :: extinction(w)                 !! K = G/mu; at night that of a sun on the horizon [1]
      real(rk) :: sunlit_area(w)                !! leaf and stem area in direct light; 0 at night [m2 m-2]
   end type two_stream_type

   !> What both bands share.
   type :: geometry_type
      real(rk) :: area(w)         !! leaf and stem area X [m2 m-2]
      real(rk) :: leaf_share(w)   !! of leaves in X [1]
      real(rk) :: stem_share(w)   !! of stems in X [1]
      real(rk) :: extinction(w)   !! K [1]
      real(rk) :: mean_depth(w)   !! mubar, mean inverse diffuse optical depth per area [1]
      real(rk) :: single_scatter(w) !! a_s/omega, single scattering albedo per omega [1]
      real(rk) :: backward(w)     !! cos**2 of the mean leaf inclination [1]
      real(rk) :: beam(w)         !! exp(-K X) [1]
   end type geometry_type

contains

   !> Albedo, absorption and transmission of a canopy over the ground, for both bands.
   !>
   !> At night (cosine of the zenith angle not above 0) all of a direct beam is reflected and no leaf is sunlit;
   !> the shares of diffuse light do not depend on the sun and stay valid.
   pure subroutine two_stream(plant, ground, cosine_zenith, canopy)
      type(plant_chunk_type), intent(in) :: plant   !! areas and optical properties
      type(ground_chunk_type), intent(in) :: ground !! albedos
      real(rk), intent(in) :: cosine_zenith(w)      !! of the sun [1]
      type(two_stream_type), intent(out) :: canopy  !! shares of unit incoming flux
      type(geometry_type) :: geometry
      integer :: band, i
      call find_geometry(plant, cosine_zenith, geometry)
      do band = 1, nband
         call solve_band(geometry, plant%leaf_reflectance(:, band), plant%leaf_transmittance(:, band), &
                         plant%stem_reflectance(:, band), plant%stem_transmittance(:, band), plant%snow_share, &
                         ground%albedo_direct(:, band), ground%albedo_diffuse(:, band), band, canopy)
         do i = 1, w
            if (.not. cosine_zenith(i) > 0.0_rk) then
               canopy%albedo_direct(i, band) = 1.0_rk
               canopy%absorbed_direct(i, band) = 0.0_rk
               canopy%sunlit_direct(i, band) = 0.0_rk
               canopy%sunlit_diffuse(i, band) = 0.0_rk
               canopy%transmitted_direct(i, band) = 0.0_rk
            end if
         end do
      end do
      do i = 1, w
         canopy%extinction(i) = geometry%extinction(i)
         canopy%beam_transmission(i) = merge(geometry%beam(i), 0.0_rk, cosine_zenith(i) > 0.0_rk)
         canopy%sunlit_area(i) = merge((1.0_rk - geometry%beam(i))/geometry%extinction(i), 0.0_rk, &
                                       cosine_zenith(i) > 0.0_rk)
      end do
   end subroutine two_stream

   !> Extinction of the beam and angular means, CLM note eqs. 3.3-3.4 and 3.15.
   pure subroutine find_geometry(plant, cosine_zenith, geometry)
      type(plant_chunk_type), intent(in) :: plant
      real(rk), intent(in) :: cosine_zenith(w) !! [1]
      type(geometry_type), intent(out) :: geometry
      real(rk) :: chi, phi1, phi2, mu, projection, s
      integer :: i
      do i = 1, w
         chi = min(max(plant%leaf_angle(i), lowest_leaf_angle), highest_leaf_angle)
         chi = merge(spherical_leaf_angle, chi, abs(chi) <= spherical_leaf_angle)
         phi1 = 0.5_rk - 0.633_rk*chi - 0.33_rk*chi*chi
         phi2 = 0.877_rk*(1.0_rk - 2.0_rk*phi1)
         mu = max(cosine_zenith(i), lowest_cosine)
         projection = phi1 + phi2*mu
         geometry%extinction(i) = projection/mu
         geometry%mean_depth(i) = (1.0_rk - phi1/phi2*log((phi1 + phi2)/phi1))/phi2
         s = (projection + mu*phi2)/(mu*phi1)
         geometry%single_scatter(i) = 0.5_rk*projection/(mu*phi1)*scattering_integral(s)
         geometry%backward(i) = 0.25_rk*(1.0_rk + chi)**2
         geometry%area(i) = plant%leaf_area(i) + plant%stem_area(i)
         geometry%leaf_share(i) = plant%leaf_area(i)/max(geometry%area(i), smallest_area)
         geometry%stem_share(i) = plant%stem_area(i)/max(geometry%area(i), smallest_area)
         geometry%beam(i) = exp(-geometry%extinction(i)*geometry%area(i))
      end do
   end subroutine find_geometry

   !> (1 - log(1 + s)/s)/s; the note's quotient by t = mu phi_2 + G with s = t/(mu phi_1), regular where t is 0.
   elemental function scattering_integral(s) result(value)
      real(rk), intent(in) :: s !! above -1 [1]
      real(rk) :: value         !! 1/2 at s = 0 [1]
      real(rk), parameter :: series_range = 0.02_rk !! |s| below it: series, truncation below 2e-13
      real(rk) :: divisor, series
      divisor = merge(s, 1.0_rk, abs(s) > series_range)
      series = 1.0_rk/2 - s*(1.0_rk/3 - s*(1.0_rk/4 - s*(1.0_rk/5 - s*(1.0_rk/6 - s*(1.0_rk/7 - s/8)))))
      value = merge((1.0_rk - log(1.0_rk + divisor)/divisor)/divisor, series, abs(s) > series_range)
   end function scattering_integral

   !> (exp(-k x) - exp(-h x))/(h - k), which is x exp(-k x) at h = k.
   elemental function exponential_difference(k, h, x, at_k, at_h) result(value)
      real(rk), intent(in) :: k    !! rate [1]
      real(rk), intent(in) :: h    !! rate [1]
      real(rk), intent(in) :: x    !! area [m2 m-2]
      real(rk), intent(in) :: at_k !! exp(-k x) [1]
      real(rk), intent(in) :: at_h !! exp(-h x) [1]
      real(rk) :: value            !! [m2 m-2]
      real(rk), parameter :: series_range = 0.01_rk !! |h - k| x below it: series, truncation below 2e-13
      real(rk) :: t, series
      t = abs(h - k)*x
      series = x*max(at_k, at_h)*(1.0_rk - t/2*(1.0_rk - t/3*(1.0_rk - t/4*(1.0_rk - t/5))))
      value = merge(abs(at_k - at_h)/merge(abs(h - k), 1.0_rk, t > series_range), series, t > series_range)
   end function exponential_difference

   !> Solution of one band: boundary values of the modes, then fluxes at both ends and their integrals.
   pure subroutine solve_band(geometry, leaf_reflectance, leaf_transmittance, stem_reflectance, stem_transmittance, &
                              snow_share, ground_direct, ground_diffuse, band, canopy)
      type(geometry_type), intent(in) :: geometry
      real(rk), intent(in) :: leaf_reflectance(w)   !! [1]
      real(rk), intent(in) :: leaf_transmittance(w) !! [1]
      real(rk), intent(in) :: stem_reflectance(w)   !! [1]
      real(rk), intent(in) :: stem_transmittance(w) !! [1]
      real(rk), intent(in) :: snow_share(w)         !! of leaves and stems under snow [1]
      real(rk), intent(in) :: ground_direct(w)      !! albedo of the ground for the beam [1]
      real(rk), intent(in) :: ground_diffuse(w)     !! albedo of the ground for diffuse light [1]
      integer, intent(in) :: band                   !! visible or near_infrared
      type(two_stream_type), intent(inout) :: canopy
      real(rk) :: reflectance, transmittance, excess, omega, b, c, d, f, eta, kappa, h, r, q, snow
      real(rk) :: e, s, x, k, mubar, difference, through, overlap, inverse
      real(rk) :: mode_up, mode_down, beam_up, source, up, down
      integer :: i
      do i = 1, w
         x = geometry%area(i)
         k = geometry%extinction(i)
         mubar = geometry%mean_depth(i)
         s = geometry%beam(i)
         reflectance = leaf_reflectance(i)*geometry%leaf_share(i) + stem_reflectance(i)*geometry%stem_share(i)
         transmittance = leaf_transmittance(i)*geometry%leaf_share(i) + stem_transmittance(i)*geometry%stem_share(i)
         excess = largest_scattering/max(reflectance + transmittance, largest_scattering)
         reflectance = reflectance*excess
         transmittance = transmittance*excess
         omega = reflectance + transmittance
         c = 0.5_rk*(omega + (reflectance - transmittance)*geometry%backward(i))
         kappa = mubar*k
         d = (1.0_rk + kappa)*omega*geometry%single_scatter(i)
         ! omega, omega beta and omega beta_0 are means over bare and snow-covered leaves
         snow = snow_share(i)*snow_scattering(band)
         omega = (1.0_rk - snow_share(i))*omega + snow
         c = (1.0_rk - snow_share(i))*c + snow*snow_upscatter
         d = (1.0_rk - snow_share(i))*d + kappa*snow*snow_upscatter
         b = 1.0_rk - omega + c
         f = omega*kappa - d
         eta = sqrt((1.0_rk - omega)*(b + c)) ! mubar h; b**2 - c**2 = (b - c)(b + c)
         h = eta/mubar
         e = exp(-h*x)
         r = c/(b + eta)                      ! albedo of an infinitely deep canopy
         difference = exponential_difference(k, h, x, s, e)
         inverse = 1.0_rk/(1.0_rk - ground_diffuse(i)*r)
         q = (ground_diffuse(i) - r)*inverse  ! reflection of the decaying mode by the ground
         through = (1.0_rk - e*s)/(k + h)     ! integral of exp(-h x) exp(-K x)

         ! diffuse light: down = 1 at the top
         mode_down = 1.0_rk/(1.0_rk + r*q*e*e)
         mode_up = mode_down*e*q
         up = mode_down*(r + q*e*e)
         down = mode_down*e*(1.0_rk + r*q)
         canopy%albedo_diffuse(i, band) = up
         canopy%transmitted_diffuse(i, band) = down
         canopy%absorbed_diffuse(i, band) = max(1.0_rk - up - (1.0_rk - ground_diffuse(i))*down, 0.0_rk)
         canopy%sunlit_diffuse(i, band) = min((1.0_rk - omega)/mubar*(1.0_rk + r) &
                                              *(mode_down*through + mode_up*difference), &
                                              canopy%absorbed_diffuse(i, band))

         ! direct beam: no diffuse light at the top
         beam_up = (d + r*f)/(eta + kappa)
         source = (f*(b + kappa) + c*d)/(mubar*(eta + kappa))
         mode_up = (s*(ground_direct(i) - beam_up)*inverse + source*difference*q)/(1.0_rk + r*q*e*e)
         mode_down = -r*e*mode_up
         up = beam_up + mode_up*e*(1.0_rk - r*r)
         down = r*mode_up*(1.0_rk - e*e) + source*difference
         overlap = ((1.0_rk - s*s)/(2.0_rk*k) - difference*s)/(k + h) ! integral of D(x) exp(-K x)
         canopy%albedo_direct(i, band) = up
         canopy%transmitted_direct(i, band) = down
         canopy%absorbed_direct(i, band) = max(1.0_rk - up - (1.0_rk - ground_diffuse(i))*down &
                                               - (1.0_rk - ground_direct(i))*s, 0.0_rk)
         canopy%sunlit_direct(i, band) = min((1.0_rk - omega)*(1.0_rk - s + ((1.0_rk + r)*(mode_down*through &
                                             + mode_up*difference + source*overlap) &
                                             + beam_up*(1.0_rk - s*s)/(2.0_rk*k))/mubar), &
                                             canopy%absorbed_direct(i, band))
      end do
   end subroutine solve_band

end module pl_two_stream
