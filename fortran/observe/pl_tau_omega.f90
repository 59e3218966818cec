!> Brightness temperature of rough ground under vegetation: the zero-order tau-omega model.
!>
!> Over smooth ground the reflectivity is Fresnel's. Roughness (Choudhury et al. 1979, J. Geophys. Res. 84, 5699-5706; Wang
!> and Choudhury 1981, J. Geophys. Res. 86, 5277-5282): r* = ((1 - Q) r_p + Q r_q) exp(-h cos(theta)**N_p), where h falls
!> linearly from its value in dry to that in wet ground (De Lannoy et al. 2013, J. Hydrometeorol. 14, 765-785, section 2b).
!> Then, with G = exp(-tau/cos(theta)) (Mo et al. 1982, J. Geophys. Res. 87, 11229-11237),
!>
!>     TB = T_s (1 - r*) G + T_c (1 - omega) (1 - G) (1 + r* G) + TB_sky r* G**2
!>
!> Effective temperature of the ground: T_deep + C (T_surface - T_deep), C a number of the wavelength (Choudhury, Schmugge
!> and Mo 1982, J. Geophys. Res. 87, 1301-1304) or (liquid/w_0)**b_0 up to 1 (Wigneron, Laguerre and Kerr 2001, IEEE Trans.
!> Geosci. Remote Sens. 39, 1697-1707). A share of open water, smooth and fresh, adds to the mean of the footprint.
module pl_tau_omega
   use pl_chunk, only: w => chunk_width
   use pl_kinds, only: rk
   use pl_water_permittivity, only: water_permittivity
   implicit none (type, external)
   private
   public :: canopy_chunk_type, canopy_emission, effective_choudhury, effective_surface, effective_temperature
   public :: effective_wigneron, fresnel_reflectivity, horizontal, npolarisation, vertical

   integer, parameter :: horizontal = 1, vertical = 2, npolarisation = 2
   integer, parameter :: effective_surface = 1, effective_wigneron = 2, effective_choudhury = 3

   real(rk), parameter :: wigneron_water = 0.3_rk !! w_0 [m3 m-3]
   real(rk), parameter :: wigneron_power = 0.3_rk !! b_0 [1]
   real(rk), parameter :: light_speed = 2.99792458e8_rk !! [m s-1]
   !> Choudhury et al. (1982): C at 2.8, 6, 11, 21 and 49 cm [1], and the wavelengths between them [m].
   real(rk), parameter :: choudhury(5) = [0.802_rk, 0.667_rk, 0.480_rk, 0.246_rk, 0.084_rk]
   real(rk), parameter :: choudhury_limit(4) = [0.044_rk, 0.085_rk, 0.16_rk, 0.35_rk]

   !> What lies between the smooth ground and the sensor.
   type :: canopy_chunk_type
      real(rk) :: liquid(w)            !! water of the ground that the roughness depends on [m3 m-3]
      real(rk) :: temperature(w)       !! of the vegetation [K]
      real(rk) :: depth(w, npolarisation) !! optical depth tau at nadir [1]
      real(rk) :: albedo(w)            !! single scattering albedo omega [1]
      real(rk) :: rough_dry(w)         !! h of ground with at most `dry` [1]
      real(rk) :: rough_wet(w)         !! h of ground with at least `wet` [1]
      real(rk) :: dry(w)               !! [m3 m-3]
      real(rk) :: wet(w)               !! above `dry` [m3 m-3]
      real(rk) :: mixing(w)            !! Q [1]
      real(rk) :: power(w, npolarisation) !! N [1]
      real(rk) :: open_water(w)        !! share of the area [1]
      real(rk) :: water_temperature(w) !! of open water [K]
      real(rk) :: sky(w)               !! brightness temperature that comes down [K]
      real(rk) :: cosine(w)            !! of the incidence angle, above 0 [1]
   end type canopy_chunk_type

contains

   !> Reflectivity of a smooth surface for both polarisations.
   pure subroutine fresnel_reflectivity(cosine, real_part, loss, reflectivity)
      real(rk), intent(in) :: cosine(w)    !! of the incidence angle, above 0 [1]
      real(rk), intent(in) :: real_part(w) !! eps', at least 1 [1]
      real(rk), intent(in) :: loss(w)      !! eps'', at least 0 [1]
      real(rk), intent(out) :: reflectivity(w, npolarisation) !! [1]
      real(rk) :: a, c, p, q
      integer :: i
      do i = 1, w
         c = cosine(i)
         a = real_part(i) - 1.0_rk + c*c ! eps - sin(theta)**2 = (p + i q)**2
         p = sqrt(0.5_rk*(sqrt(a*a + loss(i)*loss(i)) + a))
         q = 0.5_rk*loss(i)/p
         reflectivity(i, horizontal) = ((c - p)**2 + q*q)/((c + p)**2 + q*q)
         reflectivity(i, vertical) = ((real_part(i)*c - p)**2 + (loss(i)*c - q)**2) &
                                     /((real_part(i)*c + p)**2 + (loss(i)*c + q)**2)
      end do
   end subroutine fresnel_reflectivity

   !> Temperature that smooth ground emits with.
   pure subroutine effective_temperature(scheme, frequency, liquid, surface, deep, effective)
      integer, intent(in) :: scheme          !! effective_surface, effective_wigneron or effective_choudhury
      real(rk), intent(in) :: frequency      !! [Hz]
      real(rk), intent(in) :: liquid(w)      !! water of the surface [m3 m-3]
      real(rk), intent(in) :: surface(w)     !! temperature of the surface [K]
      real(rk), intent(in) :: deep(w)        !! temperature at 0.5 to 1 m [K]
      real(rk), intent(out) :: effective(w)  !! [K]
      real(rk) :: c
      integer :: i
      select case (scheme)
      case (effective_wigneron)
         do i = 1, w
            c = exp(wigneron_power*log(min(max(liquid(i)/wigneron_water, tiny(1.0_rk)), 1.0_rk)))
            effective(i) = deep(i) + c*(surface(i) - deep(i))
         end do
      case (effective_choudhury)
         c = choudhury(1 + count(light_speed/frequency >= choudhury_limit))
         effective = deep + c*(surface - deep)
      case default
         effective = surface
      end select
   end subroutine effective_temperature

   !> Brightness temperature above the vegetation for both polarisations.
   pure subroutine canopy_emission(frequency, has_water, canopy, smooth, ground, brightness)
      real(rk), intent(in) :: frequency      !! [Hz]
      logical, intent(in) :: has_water       !! whether any column has open water
      type(canopy_chunk_type), intent(in) :: canopy
      real(rk), intent(in) :: smooth(w, npolarisation) !! reflectivity of the smooth ground [1]
      real(rk), intent(in) :: ground(w, npolarisation) !! effective temperature of the ground [K]
      real(rk), intent(out) :: brightness(w, npolarisation) !! [K]
      real(rk) :: height(w), log_cosine(w), r, share, transmission
      integer :: i, other, p
      do i = 1, w
         share = min(max((canopy%liquid(i) - canopy%dry(i))/(canopy%wet(i) - canopy%dry(i)), 0.0_rk), 1.0_rk)
         height(i) = canopy%rough_dry(i) + share*(canopy%rough_wet(i) - canopy%rough_dry(i))
         log_cosine(i) = log(canopy%cosine(i))
      end do
      do p = 1, npolarisation
         other = npolarisation + 1 - p
         do i = 1, w
            r = (smooth(i, p) + canopy%mixing(i)*(smooth(i, other) - smooth(i, p))) &
                *exp(-height(i)*exp(canopy%power(i, p)*log_cosine(i)))
            transmission = exp(-canopy%depth(i, p)/canopy%cosine(i))
            brightness(i, p) = ground(i, p)*(1.0_rk - r)*transmission + canopy%temperature(i)*(1.0_rk - canopy%albedo(i)) &
                               *(1.0_rk - transmission)*(1.0_rk + r*transmission) &
                               + canopy%sky(i)*r*transmission*transmission
         end do
      end do
      if (has_water) call add_open_water(frequency, canopy, brightness)
   end subroutine canopy_emission

   !> Mean of land and open water over the footprint.
   pure subroutine add_open_water(frequency, canopy, brightness)
      real(rk), intent(in) :: frequency      !! [Hz]
      type(canopy_chunk_type), intent(in) :: canopy
      real(rk), intent(inout) :: brightness(w, npolarisation) !! of the land, then of the footprint [K]
      real(rk) :: loss(w), real_part(w), reflectivity(w, npolarisation), water
      integer :: i, p
      call water_permittivity(frequency, canopy%water_temperature, real_part, loss)
      call fresnel_reflectivity(canopy%cosine, real_part, loss, reflectivity)
      do p = 1, npolarisation
         do i = 1, w
            water = canopy%water_temperature(i) + reflectivity(i, p)*(canopy%sky(i) - canopy%water_temperature(i))
            brightness(i, p) = brightness(i, p) + canopy%open_water(i)*(water - brightness(i, p))
         end do
      end do
   end subroutine add_open_water

end module pl_tau_omega
