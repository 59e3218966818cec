!> Convection of lakes: layers that lie unstably mix, and ice floats up.
!>
!> Neighbours are pooled from the top down until no pool is denser than the one below and no water lies above ice; a
!> pool has one enthalpy per mass, and where that leaves ice and water, the ice lies on top. Mass and heat stay as they
!> are. Water is densest at 277 K (CLM Technical Note, section 12.5.8): the closer to it, the denser.
module pl_lake_overturn
   use pl_chunk, only: w => chunk_width
   use pl_constants, only: density_water, freezing_point, heat_capacity_water, latent_fusion
   use pl_kinds, only: rk
   use pl_lake_chunk, only: lake_chunk_type, lake_layers
   implicit none (type, external)
   private
   public :: overturn

   real(rk), parameter :: densest = 277.0_rk !! temperature of the largest density of water [K]

contains

   !> Mix the lanes that are unstable.
   pure subroutine overturn(lake, enthalpy)
      type(lake_chunk_type), intent(in) :: lake           !! temperature and ice that belong to the enthalpy
      real(rk), intent(inout) :: enthalpy(w, lake_layers) !! [J m-2]
      logical :: is_unstable(w)
      integer :: i, k
      is_unstable = .false.
      do k = 1, lake_layers - 1
         do i = 1, w
            is_unstable(i) = is_unstable(i) .or. (lake%ice(i, k) < 1.0_rk .and. &
                             (lake%ice(i, k + 1) > 0.0_rk .or. &
                              abs(lake%temperature(i, k) - densest) < abs(lake%temperature(i, k + 1) - densest)))
         end do
      end do
      do i = 1, w
         if (is_unstable(i)) call overturn_column(density_water*lake%thickness(i, :), enthalpy(i, :))
      end do
   end subroutine overturn

   !> Pool unstable neighbours of one lake.
   pure subroutine overturn_column(mass, enthalpy)
      real(rk), intent(in) :: mass(lake_layers)        !! [kg m-2]
      real(rk), intent(inout) :: enthalpy(lake_layers) !! [J m-2]
      real(rk), dimension(lake_layers) :: heat, pool ! enthalpy [J m-2] and mass [kg m-2] of each pool
      real(rk) :: ice, left
      integer :: bottom(0:lake_layers), k, n, npool
      n = 0
      bottom(0) = 0
      do k = 1, lake_layers
         n = n + 1
         heat(n) = enthalpy(k)
         pool(n) = mass(k)
         bottom(n) = k
         do while (n > 1)
            if (.not. is_above_lighter(heat(n - 1)/pool(n - 1), heat(n)/pool(n))) exit
            heat(n - 1) = heat(n - 1) + heat(n)
            pool(n - 1) = pool(n - 1) + pool(n)
            bottom(n - 1) = k
            n = n - 1
         end do
      end do
      npool = n
      do n = 1, npool
         if (bottom(n) == bottom(n - 1) + 1) cycle
         if (heat(n) >= latent_fusion*pool(n) .or. heat(n) <= 0.0_rk) then
            do k = bottom(n - 1) + 1, bottom(n)
               enthalpy(k) = heat(n)*(mass(k)/pool(n))
            end do
         else
            left = pool(n) - heat(n)/latent_fusion
            do k = bottom(n - 1) + 1, bottom(n)
               ice = min(left, mass(k))
               enthalpy(k) = latent_fusion*(mass(k) - ice)
               left = left - ice
            end do
         end if
      end do
   end subroutine overturn_column

   !> Whether water of the upper pool is denser than what lies below it.
   elemental logical function is_above_lighter(upper, lower)
      real(rk), intent(in) :: upper !! enthalpy of the upper pool [J kg-1]
      real(rk), intent(in) :: lower !! of the lower pool [J kg-1]
      real(rk) :: upper_temperature, lower_temperature ! of their water [K]
      upper_temperature = freezing_point + max(upper - latent_fusion, 0.0_rk)/heat_capacity_water
      lower_temperature = freezing_point + max(lower - latent_fusion, 0.0_rk)/heat_capacity_water
      is_above_lighter = upper > 0.0_rk .and. &
                         (lower < latent_fusion .or. abs(upper_temperature - densest) < abs(lower_temperature - densest))
   end function is_above_lighter

end module pl_lake_overturn
