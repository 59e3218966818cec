!> The snow pack of a chunk of columns.
!>
!> Layers are aligned at the bottom: index `nsnow` touches the ground, `top(i)` is the surface of lane i, and layers
!> above it are absent. Masses and energies are per m2 of ground; `thickness` is that of the snow where it lies, so
!> that mass = density * thickness * cover. Layers that are absent hold no mass, no thickness, and the freezing point.
module pl_snow_chunk
   use pl_chunk, only: w => chunk_width
   use pl_constants, only: freezing_point
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: clear_snow, least_snow_mass, most_snow_layers, smallest_grain, snow_chunk_type, snow_mass

   integer, parameter :: most_snow_layers = 12        !! layers that a pack may have [1]
   real(rk), parameter :: least_snow_mass = 1.0e-6_rk !! a pack with less, one nanometre of water, is no snow [kg m-2]
   real(rk), parameter :: smallest_grain = 54.5_rk    !! optical radius of new snow below -30 degC [um]

   !> One pack per lane.
   type :: snow_chunk_type
      integer :: nsnow = 5                              !! layers that may exist [1]
      integer :: top(w)                                 !! index of the surface layer; nsnow + 1 without snow [1]
      real(rk) :: ice(w, most_snow_layers)              !! [kg m-2]
      real(rk) :: liquid(w, most_snow_layers)           !! [kg m-2]
      real(rk) :: thickness(w, most_snow_layers)        !! where snow lies [m]
      real(rk) :: temperature(w, most_snow_layers)      !! [K]
      real(rk) :: grain_radius(w, most_snow_layers)     !! optical radius [um]
      real(rk) :: dust_age(w, most_snow_layers)         !! time since the snow of a layer fell, in which dust gathered [day]
      real(rk) :: age(w)                                !! non-dimensional age of the surface (BATS) [1]
      real(rk) :: cover(w)                              !! snow-covered share of the ground [1]
      real(rk) :: mass_maximum(w)                       !! largest mass of the season (Swenson and Lawrence) [kg m-2]
   end type snow_chunk_type

contains

   !> A chunk without snow.
   pure subroutine clear_snow(nsnow, snow)
      integer, intent(in) :: nsnow !! layers that may exist [1]
      type(snow_chunk_type), intent(out) :: snow
      snow%nsnow = nsnow
      snow%top = nsnow + 1
      snow%ice = 0.0_rk
      snow%liquid = 0.0_rk
      snow%thickness = 0.0_rk
      snow%temperature = freezing_point
      snow%grain_radius = smallest_grain
      snow%age = 0.0_rk
      snow%dust_age = 0.0_rk
      snow%cover = 0.0_rk
      snow%mass_maximum = 0.0_rk
   end subroutine clear_snow

   !> Ice and liquid of the pack.
   pure subroutine snow_mass(snow, mass)
      type(snow_chunk_type), intent(in) :: snow
      real(rk), intent(out) :: mass(w) !! [kg m-2]
      integer :: i, k
      mass = 0.0_rk
      do k = 1, snow%nsnow
         do i = 1, w
            mass(i) = mass(i) + snow%ice(i, k) + snow%liquid(i, k)
         end do
      end do
   end subroutine snow_mass

end module pl_snow_chunk
